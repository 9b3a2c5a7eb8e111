import type { Server } from '@grpc/grpc-js';
import type { Http2SecureServer, Http2Server, ServerHttp2Session, Settings } from 'node:http2';

/**
 * What `@grpc/grpc-js` 1.14 has no option for: for clients there is `grpc-node.flow_control_window`, for servers nothing. The
 * names are those of its own members; a test looks at what a client is told.
 */
interface ServerInternals {
  commonServerOptions: { settings?: Settings };
  http2Servers: Map<Http2Server | Http2SecureServer, unknown>;
}

/** Lets a caller send so many bytes of one call before it hears of the server (RFC 9113, 6.9). Counts for ports bound later. */
export function widenCallWindow(server: Server, bytes: number): void {
  const { commonServerOptions } = internals(server);
  commonServerOptions.settings = { ...commonServerOptions.settings, initialWindowSize: bytes };
}

/** The same for all calls of a connection together. Counts for ports bound already. */
export function widenConnectionWindow(server: Server, bytes: number): void {
  for (const port of internals(server).http2Servers.keys()) {
    port.on('session', (session: ServerHttp2Session) => session.setLocalWindowSize(bytes));
  }
}

function internals(server: Server): ServerInternals {
  // Private in the types only.
  return server as unknown as ServerInternals;
}
