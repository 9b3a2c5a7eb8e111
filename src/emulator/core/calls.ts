import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { pino } from 'pino';
import type { Clock } from './clock.js';
import type { Fault, Faults } from './faults.js';
import type { Effect, Journal } from './journal.js';

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
  /** Set by a handler that has taken the connection over for another protocol, and has answered 101. */
  upgraded?: boolean;
}

declare module 'fastify' {
  interface FastifyRequest {
    call: Call;
  }
}

/** Writes an injected error the way the service would. */
export type FaultBody = (status: number, code: string, message: string) => { contentType: string; body: string };

export interface CallContext {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly faults: Faults;
  readonly log: pino.Logger;
}

/** Puts every call of a listener through the faults and into the journal. */
export function addCallHooks(
  app: FastifyInstance,
  context: CallContext,
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
    reply.raw.once('close', () => {
      const status = reply.raw.headersSent ? reply.raw.statusCode : 0;
      record(context, request, request.call.upgraded ? 101 : status);
    });
    if (leadsElsewhere(path)) return refusePath(reply, faultBody);
    if (fault?.when === 'before') await interrupt(request, reply, fault, faultBody);
    return undefined;
  });

  app.addHook('onSend', async (request, reply, payload) => {
    const { fault } = request.call;
    const isLost = fault?.when === 'after' && isReplyLost(fault);
    const status = fault?.when === 'after' ? fault.then.status : undefined;
    // Before the reply, so that who has the reply finds the entry.
    record(context, request, status ?? (isLost ? 0 : reply.statusCode));
    if (fault?.when !== 'after') return payload;
    if (fault.then.delayMs !== undefined) await delay(fault.then.delayMs);
    if (status !== undefined) {
      const { contentType, body } = faultReply(reply, fault, faultBody);
      reply.removeHeader('content-length').type(contentType);
      return body;
    }
    if (fault.then.truncate) return truncated(reply, payload);
    if (isLost) request.raw.socket.destroy();
    return payload;
  });
}

/** Whether a path, decoded, would be another one to a file system: names in it become files here and there. */
function leadsElsewhere(path: string): boolean {
  try {
    const decoded = decodeURIComponent(path);
    return decoded.includes('\0') || decoded.split(/[/\\]/).some((part) => part === '..' || part === '.');
  } catch {
    // Malformed escapes are the framework's to refuse.
    return false;
  }
}

function refusePath(reply: FastifyReply, faultBody: FaultBody): FastifyReply {
  const message = 'The requested URI does not represent any resource on the server.';
  const { contentType, body } = faultBody(400, 'InvalidUri', message);
  return reply.code(400).type(contentType).send(body);
}

/** Whether a fault after the handler cuts the connection: unless it is told to do something gentler. */
function isReplyLost({ then }: Fault): boolean {
  return then.reset === true || (then.delayMs === undefined && then.truncate === undefined);
}

/** A body that breaks off in the middle of what its length promises. One that streams is sent whole. */
function truncated(reply: FastifyReply, payload: unknown): unknown {
  if (typeof payload !== 'string' && !Buffer.isBuffer(payload)) return payload;
  const body = Buffer.from(payload);
  reply.header('content-length', body.length);
  return Readable.from(brokenOff(body.subarray(0, body.length / 2)));
}

async function* brokenOff(start: Buffer): AsyncGenerator<Buffer> {
  yield start;
  throw new Error('broken off by a fault');
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
  const {
    status = 500,
    code = 'InternalServerError',
    message = `Injected by fault ${fault.name}.`,
    headers,
  } = fault.then;
  reply.code(status).headers(headers ?? {});
  return faultBody(status, code, message);
}

/** Resource Manager's envelope. */
export function armFaultBody(_status: number, code: string, message: string): ReturnType<FaultBody> {
  return { contentType: 'application/json; charset=utf-8', body: JSON.stringify({ error: { code, message } }) };
}

function record(context: CallContext, request: FastifyRequest, status: number): void {
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
