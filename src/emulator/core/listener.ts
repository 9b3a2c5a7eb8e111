import { once } from 'node:events';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import { addCallHooks, armFaultBody, type CallContext, type FaultBody } from './calls.js';
import type { Certificates } from './certificates.js';
import type { Documents } from './documents.js';
import { longestBodyBytes, longestParameter } from './limits.js';
import { StartError } from './start-error.js';

export interface ListenOptions {
  /** With a name, the port is kept over restarts. */
  name?: string;
  /** Takes another port where the kept one is taken, since clients ask for this address each time; otherwise that is an error. */
  mayMove?: boolean;
  port?: number;
  /** Resource Manager's paths ignore case; the others' do not. */
  caseSensitive?: boolean;
  /** Resource Manager's envelope by default. */
  faultBody?: FaultBody;
  /** The service that a path belongs to, where one listener has several; undefined keeps a call out of faults and journal. */
  serviceOf?: (path: string) => string | undefined;
  /** Sets up what answers when somebody connects first, so that an address that nobody uses costs next to nothing. */
  onDemand?: boolean;
}

export interface Listener {
  /** `https://HOST:PORT`. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

export interface ListenerContext extends CallContext {
  /** Host of the listeners' URLs, and the address that it stands for. */
  readonly host: string;
  readonly address: string;
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
  const { host } = context;
  let answering: Promise<Answering> | undefined;
  const answer = (): Promise<Answering> => (answering ??= startAnswering(context, service, configure, options));
  if (!options.onDemand) await answer();
  const sockets = new Set<Socket>();
  const door = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    answer().then(
      ({ accept }) => accept(socket),
      (error: unknown) => {
        context.log.error({ err: error, service }, 'a listener could not be set up');
        socket.destroy();
      },
    );
  });
  const port = await openPort(door, context, options);
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => door.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
    await (await answering)?.app.close();
  };
  return { url: `https://${host}:${port}`, port, close };
}

interface Answering {
  readonly app: FastifyInstance;
  /** Hands over a connection that a door let in. */
  readonly accept: (socket: Socket) => void;
}

async function startAnswering(
  context: ListenerContext,
  service: string,
  configure: (app: FastifyInstance) => void | Promise<void>,
  options: ListenOptions,
): Promise<Answering> {
  const { cert, key } = await context.certificates.server(context.host);
  const server = createHttpsServer({ cert, key });
  const app = fastify({
    logger: false,
    bodyLimit: longestBodyBytes,
    routerOptions: { caseSensitive: options.caseSensitive ?? true, maxParamLength: longestParameter },
    rewriteUrl: (request) => collapseSlashes(request.url ?? '/'),
    serverFactory: (handler) => server.on('request', handler),
  });
  addCallHooks(app, context, options.serviceOf ?? (() => service), options.faultBody ?? armFaultBody);
  await configure(app);
  await app.ready();
  return { app, accept: (socket) => void server.emit('connection', socket) };
}

/** The path of a URL with every run of slashes as one, its query untouched: the ARM clients send `//subscriptions`. */
function collapseSlashes(url: string): string {
  const [path = '/', ...query] = url.split('?');
  return [path.replace(/\/{2,}/g, '/'), ...query].join('?');
}

async function openPort(
  door: Server,
  { address, documents, log }: ListenerContext,
  { name, port: wanted, mayMove }: ListenOptions,
): Promise<number> {
  const ports = documents.collection<number>('ports');
  const kept = name === undefined ? undefined : ports.get(name);
  const asked = wanted ?? kept ?? 0;
  await bind(door, asked, address).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    if (mayMove) {
      log.warn({ name, port: asked }, 'the port is taken by another process: moving to another one');
      return bind(door, 0, address);
    }
    throw new StartError(
      `port ${asked} of ${address}, where ${name ?? 'a listener'} has its address, is taken by another process: stop that, or give another port with --port`,
    );
  });
  const { port } = door.address() as AddressInfo;
  if (name !== undefined && port !== kept) ports.put(name, port);
  return port;
}

async function bind(door: Server, port: number, address: string): Promise<void> {
  const listening = once(door, 'listening');
  door.listen(port, address);
  await listening;
}
