import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { pino } from 'pino';
import type { Certificates } from './certificates.js';
import type { Clock } from './clock.js';
import type { Documents } from './documents.js';
import type { Fault, Faults } from './faults.js';
import type { Effect, Journal } from './journal.js';
import { longestBodyBytes, longestParameter } from './limits.js';

/** What the emulator knows of a call while it is answered. */
export interface Call {
  readonly requestId: string;
  readonly service: string;
  /** Without query, with duplicate slashes collapsed. */
  readonly path: string;
  /** The injected fault that hits this call. */
  readonly fault?: Fault;
  effect?: Effect;
  /** Whether the journal has it, or is not to have it. */
  recorded: boolean;
}

declare module 'fastify' {
  interface FastifyRequest {
    call: Call;
  }
}

/** Writes an injected error the way the service would. */
export type FaultBody = (status: number, code: string, message: string) => { contentType: string; body: string };

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

export interface ListenerContext {
  readonly documents: Documents;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly faults: Faults;
  readonly certificates: Certificates;
  readonly log: pino.Logger;
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
  addHooks(app, context, options.serviceOf ?? (() => service), options.faultBody ?? armFaultBody);
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
  const address = new URL(await app.listen({ host, port: wanted ?? kept ?? 0 }));
  const port = Number(address.port);
  if (name !== undefined) ports.put(name, port);
  return port;
}

function addHooks(
  app: FastifyInstance,
  context: ListenerContext,
  serviceOf: (path: string) => string | undefined,
  faultBody: FaultBody,
): void {
  app.decorateRequest('call', null as unknown as Call);

  app.addHook('onRequest', async (request, reply) => {
    const path = request.url.split('?')[0] ?? '/';
    const service = serviceOf(path);
    const fault = service === undefined ? undefined : context.faults.match({ service, method: request.method, path });
    const recorded = service === undefined;
    request.call = { requestId: randomUUID(), service: service ?? '', path, recorded, ...(fault && { fault }) };
    // Hijacked replies (watches, upgrades) and cut connections never come to onSend.
    reply.raw.once('close', () => record(context, request, reply.raw.headersSent ? reply.raw.statusCode : 0));
    if (fault?.when === 'before') await interrupt(request, reply, fault, faultBody);
  });

  app.addHook('onSend', async (request, reply, payload) => {
    const { fault } = request.call;
    if (fault?.when !== 'after') {
      record(context, request, reply.statusCode);
      return payload;
    }
    // The reply is lost, the work is done: what the journal keeps is the effect.
    record(context, request, fault.then.status ?? 0);
    if (fault.then.delayMs !== undefined) await delay(fault.then.delayMs);
    if (fault.then.status === undefined) {
      request.raw.socket.destroy();
      return payload;
    }
    const { contentType, body } = faultReply(reply, fault, faultBody);
    reply.removeHeader('content-length').type(contentType);
    return body;
  });
}

async function interrupt(
  request: FastifyRequest,
  reply: FastifyReply,
  fault: Fault,
  faultBody: FaultBody,
): Promise<unknown> {
  if (fault.then.delayMs !== undefined) await delay(fault.then.delayMs);
  if (fault.then.reset) {
    reply.hijack();
    request.raw.socket.destroy();
    return undefined;
  }
  if (fault.then.status === undefined) return undefined;
  const { contentType, body } = faultReply(reply, fault, faultBody);
  return reply.type(contentType).send(body);
}

function faultReply(reply: FastifyReply, fault: Fault, faultBody: FaultBody): ReturnType<FaultBody> {
  const { status = 500, code = 'InternalServerError', message = `Injected by fault ${fault.name}.`, headers } = fault.then;
  reply.code(status).headers(headers ?? {});
  return faultBody(status, code, message);
}

function armFaultBody(_status: number, code: string, message: string): ReturnType<FaultBody> {
  return { contentType: 'application/json; charset=utf-8', body: JSON.stringify({ error: { code, message } }) };
}

function record(context: ListenerContext, request: FastifyRequest, status: number): void {
  const { call } = request;
  if (call.recorded) return;
  call.recorded = true;
  const clientRequestId = request.headers['x-ms-client-request-id'];
  const entry = context.journal.record({
    time: context.clock.now().toISOString(),
    service: call.service,
    method: request.method,
    path: call.path,
    status,
    requestId: call.requestId,
    ...(typeof clientRequestId === 'string' && { clientRequestId }),
    ...(call.effect && { effect: call.effect }),
    ...(call.fault && { fault: call.fault.name }),
  });
  context.log.debug(entry, 'call');
}
