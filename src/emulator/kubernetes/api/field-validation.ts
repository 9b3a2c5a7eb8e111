import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Json } from './json.js';
import { parseQuery } from './requests.js';
import type { Resource } from './resources.js';
import { badRequest } from './status.js';

/**
 * Looks for fields that the type of a resource does not have, as `fieldValidation` asks for: `Strict` refuses them and `Warn`
 * answers with warnings. https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation
 * @throws ApiError 400
 */
export async function validateFields(resource: Resource, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { fieldValidation } = parseQuery(request.query);
  const isJsonPatch = request.headers['content-type']?.startsWith('application/json-patch+json');
  if (fieldValidation === undefined || fieldValidation === 'Ignore' || isJsonPatch) return;
  // The types are big to load, and few clients ask.
  const { typeOf, unknownFields } = await import('./api-types.js');
  // A parsed body holds JSON only.
  const unknown = unknownFields(typeOf(resource), request.body as Json).map((path) => `unknown field "${path}"`);
  if (unknown.length === 0) return;
  if (fieldValidation === 'Warn') {
    void reply.header(
      'warning',
      unknown.map((warning) => `299 - ${JSON.stringify(warning)}`),
    );
    return;
  }
  const { kind, version } = resource;
  throw badRequest(
    `${kind} in version "${version}" cannot be handled as a ${kind}: strict decoding error: ${unknown.join(', ')}`,
  );
}
