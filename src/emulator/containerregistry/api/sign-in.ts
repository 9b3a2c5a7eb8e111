import type { FastifyRequest } from 'fastify';
import { actionsOfAdmin, actionsOfPrincipal, grantedAccess, parseScopes } from '../access.js';
import { RegistryError } from '../errors.js';
import { longestFormBytes } from '../limits.js';
import { isAdmin } from '../registries.js';
import { query, readBasic, readBody, type Exchange, type Route } from './exchange.js';

/** The token protocol, below `/oauth2/`. */
export const signInRoutes: readonly Route[] = [
  { path: /^exchange$/, handlers: { POST: exchangeToken } },
  { path: /^token$/, handlers: { GET: tokenByBasic, POST: tokenByForm } },
];

/** Entra ID's audiences that ACR takes: its own, and Resource Manager's. */
const audiences = [
  'https://containerregistry.azure.net',
  'https://management.azure.com',
  'https://management.core.windows.net',
];

/** The user name under which a refresh token is a password; `az acr login` uses it. */
const tokenUser = '00000000-0000-0000-0000-000000000000';

/** Who asks, and what it may do. */
interface Caller {
  readonly id: string;
  readonly actions: ReadonlySet<string>;
}

async function exchangeToken(exchange: Exchange): Promise<unknown> {
  const { plane } = exchange;
  const form = await readForm(exchange);
  const grantType = form.get('grant_type') ?? '';
  if (!grantType.startsWith('access_token')) throw refused(`grant type '${grantType}' is not supported`, 400);
  const claims = plane.emulator.tokens.verify(`Bearer ${form.get('access_token') ?? ''}`, audiences);
  if (claims === undefined) throw refused('the Entra ID access token is invalid, expired or for another audience');
  return { refresh_token: await plane.tokens.issueRefresh(claims.oid) };
}

/** The way of Docker's clients: Basic credentials and scopes in the query. */
async function tokenByBasic(exchange: Exchange): Promise<unknown> {
  const [scheme = '', credentials = ''] = (exchange.request.headers.authorization ?? '').split(' ');
  if (scheme.toLowerCase() !== 'basic') throw refused('credentials are required');
  const { username, password } = readBasic(credentials);
  return accessToken(exchange, await callerOf(exchange, username, password), scopesOfQuery(exchange.request));
}

/** The way of OAuth2: a refresh token or a password in a form. */
async function tokenByForm(exchange: Exchange): Promise<unknown> {
  const form = await readForm(exchange);
  const scopes = form.getAll('scope');
  switch (form.get('grant_type')) {
    case 'refresh_token':
      return accessToken(exchange, await callerOf(exchange, tokenUser, form.get('refresh_token') ?? ''), scopes);
    case 'password': {
      const caller = await callerOf(exchange, form.get('username') ?? '', form.get('password') ?? '');
      return accessToken(exchange, caller, scopes);
    }
    default:
      throw refused(`grant type '${form.get('grant_type') ?? ''}' is not supported`, 400);
  }
}

/** @throws {RegistryError} UNAUTHORIZED for credentials that are not good */
async function callerOf({ plane }: Exchange, username: string, password: string): Promise<Caller> {
  const registry = plane.registry();
  if (isAdmin(registry, username, password)) return { id: registry.name, actions: actionsOfAdmin };
  const principal = username === tokenUser ? await plane.tokens.verifyRefresh(password) : undefined;
  if (principal === undefined) throw refused('invalid username or password');
  return { id: principal, actions: actionsOfPrincipal(plane.emulator, principal, registry.id) };
}

/**
 * A token for what the caller may do of what it asks for.
 *
 * @throws {RegistryError} UNAUTHORIZED where that is nothing: what a cluster without the right to pull sees
 */
async function accessToken({ plane }: Exchange, caller: Caller, scopes: readonly string[]): Promise<unknown> {
  const requested = parseScopes(scopes);
  const granted = grantedAccess(requested, caller.actions);
  if (requested.length > 0 && granted.every(({ actions }) => actions.length === 0)) {
    throw refused('authentication required, visit https://aka.ms/acr/authorization for more information.');
  }
  return { access_token: await plane.tokens.issueAccess(caller.id, granted) };
}

function scopesOfQuery(request: FastifyRequest): string[] {
  const { scope } = request.query as { scope?: string | string[] };
  return scope === undefined ? [] : [scope].flat();
}

async function readForm(exchange: Exchange): Promise<URLSearchParams> {
  const form = new URLSearchParams((await readBody(exchange, longestFormBytes)).toString());
  const service = form.get('service') ?? query(exchange, 'service');
  const { loginServer } = exchange.plane.registry();
  if (service !== undefined && service !== loginServer) throw refused(`this is ${loginServer}, not ${service}`, 400);
  return form;
}

function refused(message: string, statusCode = 401): RegistryError {
  return new RegistryError(statusCode, 'UNAUTHORIZED', message);
}
