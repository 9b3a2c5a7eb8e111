import { createServer, type Server } from 'node:https';
import fastify, { type FastifyInstance } from 'fastify';
import { addCallHooks, armFaultBody, type CallContext, type FaultBody } from './calls.js';
import type { Certificates } from './certificates.js';
import type { Documents } from './documents.js';
import { longestBodyBytes, longestParameter } from './limits.js';
import { StartError } from './start-error.js';

export interface ListenOptions {
  /** With a name, the port is kept over restarts. */
  name?: string;
  port?: number;
  /** Loopback address; 127.0.0.1 by default. */
  host?: string;
  /** Resource Manager's paths ignore case; the others' do not. */
  caseSensitive?: boolean;
  /** Resource Manager's envelope by default. */
  faultBody?: FaultBody;
  /** The service that a path belongs to, where one listener has several; undefined keeps a call out of faults and journal. */
  serviceOf?: (path: string) => string | undefined;
}

export interface Listener {
  /** `https://HOST:PORT`. */
  readonly url: string;
  readonly port: number;
  readonly server: Server;
  close(): Promise<void>;
}

export interface ListenerContext extends CallContext {
  readonly documents: Documents;
  readonly certificates: Certificates;
}

/** Opens an HTTPS listener whose calls go through the faults and into the journal. */
export async function listen(
  context: ListenerContext,
  service: string,
  configure: (app: FastifyInstance) => void | Promise<void>,
  options: ListenOptions = {},
): Promise<Listener> {
  const host = options.host ?? '127.0.0.1';
  const { cert, key } = await context.certificates.server(host);
  const server = createServer({ cert, key });
  const app = fastify({
    logger: false,
    forceCloseConnections: true,
    bodyLimit: longestBodyBytes,
    routerOptions: { caseSensitive: options.caseSensitive ?? true, maxParamLength: longestParameter },
    rewriteUrl: (request) => collapseSlashes(request.url ?? '/'),
    serverFactory: (handler) => server.on('request', handler),
  });
  addCallHooks(app, context, options.serviceOf ?? (() => service), options.faultBody ?? armFaultBody);
  await configure(app);
  const port = await openPort(app, host, context.documents, options);
  return { url: `https://${host}:${port}`, port, server, close: () => app.close() };
}

/** The path of a URL with every run of slashes as one, its query untouched: the ARM clients send `//subscriptions`. */
function collapseSlashes(url: string): string {
  const [path = '/', ...query] = url.split('?');
  return [path.replace(/\/{2,}/g, '/'), ...query].join('?');
}

async function openPort(
  app: FastifyInstance,
  host: string,
  documents: Documents,
  { name, port: wanted }: ListenOptions,
): Promise<number> {
  const ports = documents.collection<number>('ports');
  const kept = name === undefined ? undefined : ports.get(name);
  const asked = wanted ?? kept ?? 0;
  const address = await app.listen({ host, port: asked }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    throw new StartError(
      `port ${asked} of ${host}, where ${name ?? 'a listener'} has its address, is taken by another process: stop that, or give another port with --port`,
    );
  });
  const port = Number(new URL(address).port);
  if (name !== undefined) ports.put(name, port);
  return port;
}
