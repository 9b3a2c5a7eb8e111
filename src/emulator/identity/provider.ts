import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Emulator } from '../core/emulator.js';
import { tokenLifetimeSeconds } from '../core/limits.js';

interface TenantRoute {
  Params: { tenant: string };
}

const tokenRequestSchema = z.object({
  grant_type: z.string(),
  client_id: z.string().optional(),
  client_secret: z.string().optional(),
  scope: z.string().optional(),
  resource: z.string().optional(),
});

/** Entra ID's token endpoint for the client-credentials grant, its discovery documents, and the instance metadata service. */
export function registerIdentity(app: FastifyInstance, emulator: Emulator): void {
  const { identity } = emulator.tokens;

  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
    done(null, Object.fromEntries(new URLSearchParams(String(body))));
  });

  for (const version of ['', 'v2.0/']) {
    app.get<TenantRoute>(`/:tenant/${version}.well-known/openid-configuration`, async (request) => {
      const base = `https://${request.host}/${request.params.tenant}`;
      return {
        issuer: `${base}/v2.0`,
        authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
        token_endpoint: `${base}/oauth2/v2.0/token`,
        jwks_uri: `${base}/discovery/v2.0/keys`,
        response_types_supported: ['code'],
        subject_types_supported: ['pairwise'],
        id_token_signing_alg_values_supported: ['RS256'],
      };
    });
  }

  app.get<TenantRoute>('/:tenant/discovery/v2.0/keys', async () => ({ keys: [emulator.tokens.jsonWebKey] }));

  for (const version of ['', 'v2.0/']) {
    app.post<TenantRoute>(`/:tenant/oauth2/${version}token`, async (request, reply) => {
      const form = tokenRequestSchema.safeParse(request.body);
      if (!form.success) return oauthError(reply, 400, 'invalid_request', 900144, 'The request body must be a form.');
      const { grant_type: grant, client_id: id, client_secret: secret, scope, resource } = form.data;
      if (request.params.tenant.toLowerCase() !== identity.tenantId) {
        return oauthError(reply, 400, 'invalid_request', 90002, `Tenant '${request.params.tenant}' not found.`);
      }
      if (grant !== 'client_credentials') {
        return oauthError(reply, 400, 'unsupported_grant_type', 70003, `The grant '${grant}' is not emulated.`);
      }
      if (id !== identity.clientId) {
        return oauthError(reply, 400, 'unauthorized_client', 700016, `Application '${id ?? ''}' was not found.`);
      }
      if (secret !== identity.clientSecret) {
        return oauthError(reply, 401, 'invalid_client', 7000215, 'Invalid client secret provided.');
      }
      const audience = resource ?? scope?.split(' ')[0]?.replace(/\/\.default$/, '');
      if (!audience) return oauthError(reply, 400, 'invalid_request', 900144, "The request must contain 'scope'.");
      return tokenResponse(emulator.issueToken(audience, identity.objectId));
    });
  }

  app.get<{ Querystring: { resource?: string } }>('/metadata/identity/oauth2/token', async (request, reply) => {
    if (request.headers.metadata !== 'true') {
      return reply
        .code(400)
        .send({ error: 'invalid_request', error_description: 'Required metadata header not specified' });
    }
    const { resource } = request.query;
    if (!resource) {
      return reply
        .code(400)
        .send({ error: 'invalid_request', error_description: "Required parameter 'resource' missing" });
    }
    const expiresOn = Math.floor(emulator.clock.now().getTime() / 1000) + tokenLifetimeSeconds;
    return {
      ...tokenResponse(emulator.issueToken(resource, identity.objectId)),
      expires_on: String(expiresOn),
      resource,
      client_id: identity.clientId,
    };
  });
}

function tokenResponse(token: string): Record<string, unknown> {
  const lifetime = tokenLifetimeSeconds;
  return { token_type: 'Bearer', expires_in: lifetime, ext_expires_in: lifetime, access_token: token };
}

function oauthError(reply: FastifyReply, status: number, error: string, number: number, text: string): FastifyReply {
  const description = `AADSTS${number}: ${text}`;
  return reply.code(status).send({ error, error_description: description, error_codes: [number] });
}
