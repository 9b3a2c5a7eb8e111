import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';

import type { Certificates } from './certificates.js';
import { HTTP_TIMEOUTS_MS } from './limits.js';
import type { Metrics } from './metrics.js';
import type { RestApi } from './rest-api.js';

/** Where the server is: only `ready` takes new calls. */
export type Phase = 'starting' | 'ready' | 'draining';

export interface HttpPortOptions {
  phase: () => Phase;
  metrics: Metrics;
  /** TensorFlow Serving's REST API, once there is a model; undefined where it is served on a port of its own. */
  rest: () => RestApi | undefined;
}

/**
 * Answers the plain port: `/healthz` 200 as long as the process lives, `/readyz` only while it is ready, `/metrics` for
 * Prometheus, and the REST API.
 */
export function plainHttp({ phase, metrics, rest }: HttpPortOptions): RequestListener {
  return (request, response) => {
    const path = request.url?.split('?')[0] ?? '';
    if (path === '/metrics') {
      metrics.registry.metrics().then(
        (text) => response.writeHead(200, { 'content-type': metrics.registry.contentType }).end(text),
        () => response.writeHead(500).end(),
      );
      return;
    }
    const api = rest();
    if (api && path.startsWith('/v1/')) return api.handle(request, response);
    const code = { '/healthz': 200, '/readyz': phase() === 'ready' ? 200 : 503 }[path] ?? 404;
    response.writeHead(code, { 'content-type': 'text/plain' }).end(`${code === 404 ? 'not found' : phase()}\n`);
  };
}

/** Listens for HTTP; who sends slowly or nothing does not keep a connection. */
export function servePlain(place: Place, listener: RequestListener): Promise<ListeningServer> {
  return listen(createServer(HTTP_TIMEOUTS_MS, listener), place);
}

/** The same over TLS 1.2 or newer, with the certificate of the moment. */
export function serveSecure(
  place: Place,
  certificates: Certificates,
  listener: RequestListener,
): Promise<ListeningServer> {
  const clients = { requestCert: certificates.wantsClientCertificate, rejectUnauthorized: true };
  const options = { ...HTTP_TIMEOUTS_MS, ...clients, ...certificates.contents };
  const server = createSecureServer({ ...options, minVersion: 'TLSv1.2' }, listener);
  certificates.onChange((contents) => server.setSecureContext({ ...contents, minVersion: 'TLSv1.2' }));
  return listen(server, place);
}

export interface Place {
  host: string;
  port: number;
}

export interface ListeningServer {
  port: number;
  server: Server;
}

async function listen(server: Server, { host, port }: Place): Promise<ListeningServer> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  // Listening on a TCP port, so the address is one.
  return { port: (server.address() as AddressInfo).port, server };
}
