import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { errorEnvelope, RegistryError } from '../errors.js';
import { blobRoutes } from './blobs.js';
import { authorize, dispatch, type DataPlane, type Exchange, type Route } from './exchange.js';
import { listRoutes } from './lists.js';
import { manifestRoutes } from './manifests.js';
import { metadataRoutes } from './metadata.js';
import { signInRoutes } from './sign-in.js';
import { uploadRoutes } from './uploads.js';

const pingRoute: Route = { path: /^$/, handlers: { GET: ping, HEAD: ping } };

/** What the first part of a path leads to. Uploads come before blobs, whose paths they look like. */
const apis: Readonly<Record<string, readonly Route[]>> = {
  '/v2/*': [pingRoute, ...listRoutes, ...uploadRoutes, ...blobRoutes, ...manifestRoutes],
  '/acr/v1/*': metadataRoutes,
  '/oauth2/*': signInRoutes,
};

/** Serves the OCI distribution API, ACR's metadata API and the token protocol of one registry. */
export function configureDataPlane(app: FastifyInstance, plane: DataPlane): void {
  // Blobs are streamed to disk, and every other body is read by its handler.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));

  app.addHook('onRequest', async (request, reply) => {
    void reply.headers({
      'docker-distribution-api-version': 'registry/2.0',
      'x-ms-request-id': request.call.requestId,
    });
  });
  app.setErrorHandler<FastifyError>((error, request, reply) => sendError(plane, error, request, reply));
  app.setNotFoundHandler((_request, reply) => reply.code(404).send(errorEnvelope('NOT_FOUND', 'no such path')));

  for (const [url, routes] of Object.entries(apis)) {
    app.route<{ Params: { '*': string } }>({
      url,
      method: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
      handler: (request, reply) => dispatch(routes, request.params['*'], { plane, request, reply, parts: {} }),
    });
  }
}

async function ping(exchange: Exchange): Promise<unknown> {
  await authorize(exchange);
  return exchange.reply.type('application/json').send('{}');
}

function sendError(plane: DataPlane, error: FastifyError, request: FastifyRequest, reply: FastifyReply): unknown {
  if (error instanceof RegistryError) {
    const { code, message, details } = error;
    return reply
      .code(error.statusCode)
      .headers(details.headers ?? {})
      .type('application/json; charset=utf-8')
      .send(errorEnvelope(code, message, details.detail));
  }
  const status = error.statusCode ?? 500;
  if (status >= 500) plane.emulator.log.error({ err: error, path: request.call.path }, 'registry handler broke');
  return reply.code(status).send(errorEnvelope('UNKNOWN', error.message));
}
