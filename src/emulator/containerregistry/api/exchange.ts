import type { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Emulator } from '../../core/emulator.js';
import { covers, type Need } from '../access.js';
import { RegistryError } from '../errors.js';
import { isAdmin, type Registry } from '../registries.js';
import type { Content } from '../storage/content.js';
import type { Repositories } from '../storage/repositories.js';
import type { Uploads } from '../storage/uploads.js';
import type { RegistryTokens } from '../tokens.js';

/** What the data plane of one registry works on. */
export interface DataPlane {
  readonly emulator: Emulator;
  /** The registry as it is now. */
  readonly registry: () => Registry;
  readonly repositories: Repositories;
  readonly content: Content;
  readonly uploads: Uploads;
  readonly tokens: RegistryTokens;
  /** Removes what nothing refers to any more. */
  readonly collectGarbage: () => void;
}

/** One request with the parts of its path. */
export interface Exchange {
  readonly plane: DataPlane;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly parts: Readonly<Record<string, string>>;
}

export type Handler = (exchange: Exchange) => Promise<unknown>;

/** Handlers by method of a path with named parts. */
export interface Route {
  readonly path: RegExp;
  readonly handlers: Readonly<Record<string, Handler>>;
}

/**
 * Finds the handler of a path. Repository names contain slashes, so the router of the listener cannot.
 *
 * @throws {RegistryError} NOT_FOUND, or UNSUPPORTED for a method that the path does not have
 */
export async function dispatch(routes: readonly Route[], path: string, exchange: Exchange): Promise<unknown> {
  for (const route of routes) {
    const match = route.path.exec(path);
    if (match === null) continue;
    const handler = route.handlers[exchange.request.method];
    if (handler === undefined) throw new RegistryError(405, 'UNSUPPORTED', 'The operation is unsupported.');
    return handler({ ...exchange, parts: { ...match.groups } });
  }
  throw new RegistryError(404, 'NOT_FOUND', 'no such path');
}

/** A part of the path that the route always has. */
export function part({ parts }: Exchange, name: string): string {
  const value = parts[name];
  if (value === undefined) throw new Error(`the route has no part called ${name}`);
  return value;
}

/** The first value of a query parameter. */
export function query({ request }: Exchange, name: string): string | undefined {
  const value = (request.query as Record<string, string | string[] | undefined>)[name];
  return Array.isArray(value) ? value[0] : value;
}

/** The request's body as it arrives; nothing on the data plane is parsed before its handler wants it. */
export function body({ request }: Exchange): Readable {
  return request.raw;
}

/**
 * Reads a small body.
 *
 * @throws {RegistryError} SIZE_INVALID beyond `limit` bytes
 */
export async function readBody(exchange: Exchange, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body(exchange) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw new RegistryError(413, 'SIZE_INVALID', `the request body exceeds ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Why a request may not do what it needs, as a challenge puts it; undefined where it may. */
async function refusal({ plane, request }: Exchange, needs: readonly Need[]): Promise<string | undefined> {
  const [scheme = '', credentials = ''] = (request.headers.authorization ?? '').split(' ');
  if (scheme.toLowerCase() === 'basic') {
    const { username, password } = readBasic(credentials);
    return isAdmin(plane.registry(), username, password) ? undefined : '';
  }
  if (scheme.toLowerCase() !== 'bearer') return '';
  const access = await plane.tokens.verifyAccess(credentials);
  if (access === undefined) return ',error="invalid_token"';
  return needs.every((need) => covers(access, need)) ? undefined : ',error="insufficient_scope"';
}

/** Whether the caller may do what is needed. */
export async function isAuthorized(exchange: Exchange, ...needs: Need[]): Promise<boolean> {
  return (await refusal(exchange, needs)) === undefined;
}

/**
 * Checks that the caller may do what is needed.
 *
 * @throws {RegistryError} UNAUTHORIZED with a challenge that says which token to fetch
 */
export async function authorize(exchange: Exchange, ...needs: Need[]): Promise<void> {
  const refused = await refusal(exchange, needs);
  if (refused === undefined) return;
  throw new RegistryError(
    401,
    'UNAUTHORIZED',
    'authentication required, visit https://aka.ms/acr/authorization for more information.',
    {
      headers: { 'www-authenticate': `${challenge(exchange.plane.registry().loginServer, needs)}${refused}` },
      detail: needs.map(({ type, name, action }) => ({ Type: type, Name: name, Action: action })),
    },
  );
}

function challenge(loginServer: string, needs: readonly Need[]): string {
  const actions = new Map<string, string[]>();
  for (const { type, name, action } of needs) {
    const thing = `${type}:${name}`;
    actions.set(thing, [...(actions.get(thing) ?? []), action]);
  }
  const scopes = [...actions].map(([thing, wanted]) => `${thing}:${wanted.join(',')}`);
  const scope = scopes.length > 0 ? `,scope="${scopes.join(' ')}"` : '';
  return `Bearer realm="https://${loginServer}/oauth2/token",service="${loginServer}"${scope}`;
}

/** User name and password of a Basic header's credentials. */
export function readBasic(credentials: string): { username: string; password: string } {
  const text = Buffer.from(credentials, 'base64').toString();
  const colon = text.indexOf(':');
  return { username: text.slice(0, Math.max(colon, 0)), password: text.slice(colon + 1) };
}
