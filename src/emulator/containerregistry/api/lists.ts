import { catalogNeed } from '../access.js';
import { unknownRepository } from '../errors.js';
import { defaultPageSize, longestPage } from '../limits.js';
import { repositoryName } from '../names.js';
import { authorize, part, query, type Exchange, type Route } from './exchange.js';

/** The lists of the distribution API. */
export const listRoutes: readonly Route[] = [
  { path: /^_catalog$/, handlers: { GET: catalog } },
  { path: /^(?<name>.+)\/tags\/list$/, handlers: { GET: tagList } },
];

async function catalog(exchange: Exchange): Promise<unknown> {
  await authorize(exchange, catalogNeed);
  const names = exchange.plane.repositories.list().map(({ name }) => name);
  return { repositories: page(exchange, names, (name) => name) };
}

async function tagList(exchange: Exchange): Promise<unknown> {
  const { plane } = exchange;
  const repository = repositoryName(part(exchange, 'name'));
  await authorize(exchange, { type: 'repository', name: repository, action: 'pull' });
  if (plane.repositories.get(repository) === undefined) throw unknownRepository(repository);
  const tags = plane.repositories.tags(repository).map(({ name }) => name);
  return { name: repository, tags: page(exchange, tags, (tag) => tag) };
}

/** Cuts `items` to the page that the query asks for by `n` and `last`, and links to the next one. */
export function page<T>(exchange: Exchange, items: readonly T[], key: (item: T) => string): T[] {
  const { request, reply } = exchange;
  const last = query(exchange, 'last');
  const wanted = Number(query(exchange, 'n') ?? defaultPageSize);
  const size = Number.isInteger(wanted) && wanted > 0 ? Math.min(wanted, longestPage) : defaultPageSize;
  // What the client saw last may have been deleted meanwhile: in a sorted list the next ones follow it all the same.
  const found = items.findIndex((item) => key(item) === last);
  const start = last === undefined ? 0 : found >= 0 ? found + 1 : items.findIndex((item) => key(item) > last);
  const shown = start < 0 ? [] : items.slice(start, start + size);
  const end = shown.at(-1);
  if (end !== undefined && start + size < items.length) {
    const [path, search = ''] = request.url.split('?');
    const next = new URLSearchParams(search);
    next.set('last', key(end));
    next.set('n', String(size));
    reply.header('link', `<${path}?${next.toString()}>; rel="next"`);
  }
  return shown;
}
