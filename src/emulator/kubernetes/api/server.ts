import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Emulator, Listener } from '../../core/emulator.js';
import { registerDiscovery } from './discovery.js';
import { acceptPortForward } from './port-forward.js';
import { servePodLog } from './pod-log.js';
import type { Registry } from './registry.js';
import { parseQuery } from './requests.js';
import { pods } from './resources.js';
import { registerResources } from './routes.js';
import { ApiError, badRequest, noSuchResource } from './status.js';

export interface ApiServerOptions {
  /** Resource id of the cluster: begins the ids of objects in the journal. */
  clusterId: string;
  /** Keeps the port over restarts under this name. */
  portName: string;
  /** The bearer token that is let in. */
  token: string;
  registry: Registry;
  logDirectory: string;
}

/** Opens the HTTPS listener of a cluster's Kubernetes API. */
export async function startApiServer(emulator: Emulator, options: ApiServerOptions): Promise<Listener> {
  const configure = (app: FastifyInstance) => {
    acceptBodies(app);
    app.setErrorHandler((error, _request, reply) => {
      const failure = toApiError(error);
      if (failure.code === 500) emulator.log.error({ err: error }, 'a call to the Kubernetes API broke');
      return reply.code(failure.code).send(failure.toStatus());
    });
    app.setNotFoundHandler((_request, reply) => reply.code(404).send(noSuchResource().toStatus()));
    app.addHook('onRequest', (request, _reply, done) => {
      const open = /^\/(version\/?|readyz|livez|healthz)$/.test(request.call.path);
      done(open || hasToken(request.raw, options.token) ? undefined : unauthorized());
    });
    registerDiscovery(app);
    registerResources(app, options.registry, options.clusterId);
    app.get('/api/v1/namespaces/:namespace/pods/:name/log', (request, reply) =>
      servePodLog(request, reply, options.registry, options.logDirectory),
    );
  };
  const listener = await emulator.listen('kubernetes', configure, {
    name: options.portName,
    faultBody: (status, code, message) => ({
      contentType: 'application/json',
      body: JSON.stringify(new ApiError(status, code, message).toStatus()),
    }),
  });
  listener.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    try {
      serveUpgrade(request, socket, head, options);
    } catch (error) {
      refuseUpgrade(socket, toApiError(error));
    }
  });
  return listener;
}

const portForwardPath = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)\/portforward$/;

function serveUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, options: ApiServerOptions): void {
  if (!hasToken(request, options.token)) throw unauthorized();
  const url = new URL(request.url ?? '/', 'https://kubernetes');
  const [, namespace, name] = portForwardPath.exec(url.pathname) ?? [];
  if (namespace === undefined || name === undefined) throw noSuchResource();
  const { ports } = parseQuery(Object.fromEntries(url.searchParams));
  if (ports === undefined) throw badRequest('at least one port must be specified');
  const pod = options.registry.get(pods, namespace, name);
  const { phase, podIP } = pod.status;
  if (phase !== 'Running' || podIP === undefined) {
    throw badRequest(`unable to forward port because pod is not running. Current status=${phase}`);
  }
  acceptPortForward(request, socket, head, { host: podIP, port: ports });
}

function refuseUpgrade(socket: Duplex, failure: ApiError): void {
  const body = JSON.stringify(failure.toStatus());
  socket.end(
    `HTTP/1.1 ${failure.code} ${failure.reason}\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

function hasToken(request: IncomingMessage, token: string): boolean {
  const sent = Buffer.from(/^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '');
  const wanted = Buffer.from(token);
  return sent.length === wanted.length && timingSafeEqual(sent, wanted);
}

function unauthorized(): ApiError {
  return new ApiError(401, 'Unauthorized', 'Unauthorized');
}

function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const { statusCode, message } = error as { statusCode?: number; message?: string };
  // Fastify's own refusals (a body too large, broken JSON) carry their status.
  if (statusCode !== undefined && statusCode < 500) return new ApiError(statusCode, 'BadRequest', message ?? '');
  return new ApiError(500, 'InternalError', `Internal error occurred: ${message ?? String(error)}`);
}

/** Bodies are JSON whatever the JSON media type; others are kept as text for the handler to refuse by name. */
function acceptBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    /^application\/([\w-]+\+)?json/,
    { parseAs: 'string' },
    async (_request: FastifyRequest, body: string | Buffer) => parseJson(String(body)),
  );
  // A client that does not say what it sends means JSON.
  app.addContentTypeParser('*', { parseAs: 'string' }, async (request: FastifyRequest, body: string | Buffer) =>
    request.headers['content-type'] === undefined ? parseJson(String(body)) : body,
  );
}

/** @throws ApiError 400 */
function parseJson(body: string): unknown {
  if (body === '') return undefined;
  try {
    return JSON.parse(body);
  } catch (error) {
    throw badRequest(`the object provided is unrecognized: ${error instanceof Error ? error.message : ''}`);
  }
}
