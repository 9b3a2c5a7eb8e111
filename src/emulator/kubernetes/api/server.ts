import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Emulator, Listener } from '../../core/emulator.js';
import { servePortForward } from '../streaming/port-forward.js';
import { routeUpgrades } from '../streaming/upgrades.js';
import { registerDiscovery } from './discovery.js';
import { servePodLog } from './pod-log.js';
import type { Registry } from './registry.js';
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
    routeUpgrades(app);
    app.route({
      method: ['GET', 'POST'],
      url: '/api/v1/namespaces/:namespace/pods/:name/portforward',
      handler: (request, reply) => servePortForward(request, reply, options.registry),
    });
  };
  return emulator.listen('kubernetes', configure, {
    name: options.portName,
    onDemand: true,
    mayMove: true,
    faultBody: (status, code, message) => ({
      contentType: 'application/json',
      body: JSON.stringify(new ApiError(status, code, message).toStatus()),
    }),
  });
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

/** Bodies are JSON whatever the JSON media type, or protobuf that becomes it; others are text for the handler to refuse by name. */
function acceptBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    /^application\/([\w-]+\+)?json/,
    { parseAs: 'string' },
    async (_request: FastifyRequest, body: string | Buffer) => parseJson(String(body)),
  );
  app.addContentTypeParser(
    'application/vnd.kubernetes.protobuf',
    { parseAs: 'buffer' },
    async (_request: FastifyRequest, body: string | Buffer) => {
      // Only Go's typed clients send it.
      const { decodeProtobuf } = await import('./protobuf/body.js');
      return decodeProtobuf(Buffer.from(body));
    },
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
