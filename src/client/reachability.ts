import { connect, type Socket } from 'node:net';
import { CONNECTION_ERRORS } from '../deployment/connection-errors.js';
import { PROBE_TIMEOUT_MS } from './limits.js';

/** Temporal's own, which its client adds to an address without one. */
const DEFAULT_PORT = '7233';

/**
 * Why a gRPC server could not be reached, for people: gRPC itself says only that its time was over.
 *
 * @param address `host:port`
 * @param tls whether it was spoken to with TLS
 */
export async function whyUnreachable(address: string, tls: boolean): Promise<string> {
  const [, host, port = DEFAULT_PORT] = /^\[?([^\s[\]]+?)\]?(?::(\d{1,5}))?$/.exec(address) ?? [];
  if (host === undefined || Number(port) > 65535) return 'that is no HOST:PORT';
  const code = await connectionError(host, Number(port));
  if (code !== undefined) return `${CONNECTION_ERRORS.get(code) ?? 'no connection is made'} (${code})`;
  return `something listens there, and does not speak as Temporal does ${tls ? 'with TLS' : 'without TLS'}`;
}

/** The system's code for why no TCP connection is made; undefined when one is. */
async function connectionError(host: string, port: number): Promise<string | undefined> {
  let socket: Socket | undefined;
  try {
    return await new Promise((resolve) => {
      socket = connect({ host, port, timeout: PROBE_TIMEOUT_MS })
        .once('connect', () => resolve(undefined))
        .once('timeout', () => resolve('ETIMEDOUT'))
        .once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    });
  } finally {
    socket?.destroy();
  }
}
