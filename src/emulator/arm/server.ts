import { randomUUID } from 'node:crypto';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { mayDo } from '../authorization/permissions.js';
import type { Emulator, TokenClaims } from '../core/emulator.js';
import { findGroup, refuseDeleting } from '../resources/resource-groups.js';
import { actionOf } from './actions.js';
import { checkApiVersion } from './api-versions.js';
import { ArmError } from './errors.js';
import { refuseUnknown } from './not-emulated.js';
import { registerOperations } from './operation-routes.js';

/** What holds for every Resource Manager call: headers, sign-in, api-version, parents that must exist, error envelopes. */
export function configureResourceManager(app: FastifyInstance, emulator: Emulator): void {
  app.addHook('onRequest', async (request, reply) => {
    addCommonHeaders(emulator, request, reply);
    if (!isResourceManagerPath(request.call.path)) return;
    const caller = authenticate(emulator, request);
    authorize(emulator, request, caller);
    const query = request.query as Record<string, unknown>;
    const warning = checkApiVersion(request.call.path, query['api-version']);
    if (warning !== undefined) reply.header('warning', `299 - "${warning}"`);
    checkParents(emulator, request);
  });

  // Clients send DELETE and action POSTs with a JSON content type and nothing in the body.
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, body === '' ? undefined : JSON.parse(String(body)));
    } catch {
      done(
        new ArmError(400, 'InvalidRequestContent', 'The request content was invalid and could not be deserialized.'),
      );
    }
  });

  app.setErrorHandler<FastifyError>((error, request, reply) => sendError(emulator, error, request, reply));
  refuseUnknown(app, emulator);
  registerOperations(app, emulator);
}

/** Whether a path is one of Resource Manager's. */
export function isResourceManagerPath(path: string): boolean {
  return /^\/(subscriptions|providers|tenants)(\/|$)/i.test(path);
}

function authenticate(emulator: Emulator, request: FastifyRequest): TokenClaims {
  const { authorization } = request.headers;
  const challenge = { 'www-authenticate': `Bearer authorization_uri="https://${request.host}/common"` };
  if (authorization === undefined) {
    const message = "Authentication failed. The 'Authorization' header is missing.";
    throw new ArmError(401, 'AuthenticationFailed', message, challenge);
  }
  // The Machine Learning client asks for a token for its endpoint, the others for Resource Manager's well-known names.
  const audiences = ['https://management.azure.com', 'https://management.core.windows.net', `https://${request.host}`];
  const claims = emulator.tokens.verify(authorization, audiences);
  if (claims !== undefined) return claims;
  const message = 'The access token is invalid: it is expired, not of this tenant, or for another audience.';
  throw new ArmError(401, 'InvalidAuthenticationToken', message, challenge);
}

function authorize(emulator: Emulator, { method, call }: FastifyRequest, { appid, oid }: TokenClaims): void {
  const action = actionOf(method, call.path);
  if (action === undefined || mayDo(emulator, action)) return;
  // What a POST names last is the action, not a part of the resource.
  const scope = method === 'POST' ? call.path.replace(/\/[^/]+$/, '') : call.path;
  const message =
    `The client '${appid ?? oid}' with object id '${oid}' does not have authorization to perform action '${action}' ` +
    `over scope '${scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.`;
  throw new ArmError(403, 'AuthorizationFailed', message, { 'x-ms-failure-cause': 'gateway' });
}

function checkParents(emulator: Emulator, request: FastifyRequest): void {
  const { subscriptionId } = emulator.place;
  const [, subscription, group] =
    /^\/subscriptions\/([^/]+)(?:\/resourceGroups\/([^/]+)\/.+)?/i.exec(request.call.path) ?? [];
  if (subscription !== undefined && subscription.toLowerCase() !== subscriptionId) {
    throw new ArmError(404, 'SubscriptionNotFound', `The subscription '${subscription}' could not be found.`);
  }
  if (group === undefined) return;
  const found = findGroup(emulator, { subscriptionId, resourceGroup: group });
  if (request.method === 'PUT' || request.method === 'PATCH') refuseDeleting(found);
}

function addCommonHeaders(emulator: Emulator, request: FastifyRequest, reply: FastifyReply): void {
  const { requestId } = request.call;
  const time = emulator.clock
    .now()
    .toISOString()
    .replace(/[-:]|\.\d+/g, '');
  const kind = { GET: 'reads', HEAD: 'reads', DELETE: 'deletes' }[request.method] ?? 'writes';
  reply.headers({
    'cache-control': 'no-cache',
    pragma: 'no-cache',
    expires: '-1',
    'strict-transport-security': 'max-age=31536000; includeSubDomains',
    'x-content-type-options': 'nosniff',
    'x-ms-request-id': requestId,
    'x-ms-correlation-request-id': request.headers['x-ms-correlation-request-id'] ?? randomUUID(),
    'x-ms-routing-request-id': `${emulator.place.region.toUpperCase()}:${time}:${requestId}`,
    [`x-ms-ratelimit-remaining-subscription-${kind}`]: '11999',
  });
}

function sendError(emulator: Emulator, error: FastifyError, request: FastifyRequest, reply: FastifyReply): unknown {
  if (error instanceof ArmError) {
    const { code, message } = error;
    return reply.code(error.statusCode).headers(error.headers).send({ error: { code, message } });
  }
  const status = error.statusCode ?? 500;
  if (status >= 500) emulator.log.error({ err: error, path: request.call.path }, 'handler broke');
  const code = status >= 500 ? 'InternalServerError' : 'InvalidRequestContent';
  return reply.code(status).send({ error: { code, message: error.message } });
}
