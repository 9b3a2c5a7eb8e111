import type { FastifyRequest } from 'fastify';
import { badRequest } from './errors.js';

/** A page of a list as Resource Manager answers it. */
export interface Page<T> {
  value: T[];
  /** Where the next page is; absent on the last one. */
  nextLink?: string;
}

/**
 * The page that a call asks for by `$top` and `$skiptoken`, which only `nextLink` gives. Without `$top` that is all of it.
 * Throws ArmError `InvalidQueryParameterValue` for a `$top` or token that is none.
 */
export function page<T>(request: FastifyRequest, items: readonly T[]): Page<T> {
  // Clients of the older generation put their parameters on nextLink once more.
  const given = Object.entries(request.query as Record<string, string | string[]>);
  const query = new Map(given.map(([name, value]) => [name.toLowerCase(), [value].flat()[0]]));
  const first = wholeNumber('$skiptoken', query.get('$skiptoken') ?? '0', 0);
  const top = query.get('$top');
  const end = top === undefined ? items.length : first + wholeNumber('$top', top, 1);
  const value = items.slice(first, end);
  return end < items.length ? { value, nextLink: nextLink(request, end) } : { value };
}

function wholeNumber(name: string, text: string, least: number): number {
  if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text);
  throw badRequest(
    'InvalidQueryParameterValue',
    `The value '${text}' of the query parameter '${name}' is invalid: it must be a whole number from ${least}.`,
  );
}

function nextLink(request: FastifyRequest, position: number): string {
  const url = new URL(request.url, `https://${request.host}`);
  for (const name of [...url.searchParams.keys()])
    if (name.toLowerCase() === '$skiptoken') url.searchParams.delete(name);
  url.searchParams.set('$skiptoken', String(position));
  return url.href;
}
