import type { FastifyReply } from 'fastify';
import type { KubeObject } from '../objects/metadata.js';
import { bookmarkIntervalMs, watchTimeoutSeconds } from '../limits.js';
import { selectorOf, type Query } from './requests.js';
import { apiVersionOf, type Resource } from './resources.js';
import { ApiError, badRequest } from './status.js';
import type { ObjectStore, StoreEvent } from './store.js';

interface WatchOptions {
  resource: Resource;
  namespace: string | undefined;
  query: Query;
  /** Makes of an object what the client is sent. */
  show: (object: KubeObject) => unknown;
}

type WatchEvent = { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: KubeObject };

/** How a change looks through a selector: entering it reads as added, leaving it as deleted. */
function throughSelector(event: StoreEvent, matches: (object: KubeObject) => boolean): WatchEvent | undefined {
  const before = event.previous !== undefined && matches(event.previous);
  const after = event.type !== 'DELETED' && matches(event.object);
  if (!before && !after) return undefined;
  return { type: before ? (after ? 'MODIFIED' : 'DELETED') : 'ADDED', object: event.object };
}

/**
 * Answers a list request with `watch=true`: one JSON object a line until the client leaves or the time is up.
 * From a resource version on it replays what is remembered; without one it begins with what exists.
 */
export function serveWatch(
  reply: FastifyReply,
  store: ObjectStore,
  { resource, namespace, query, show }: WatchOptions,
): void {
  const matches = selectorOf(resource, query);
  const concerns = (event: StoreEvent) =>
    event.resource === resource && (namespace === undefined || event.object.metadata.namespace === namespace);
  const since = query.resourceVersion ?? '';
  if (since !== '' && !/^\d+$/.test(since)) throw badRequest(`invalid resource version: ${since}`);
  const fromNow = since === '' || since === '0';
  const replayed = fromNow ? [] : store.since(Number(since));

  reply.hijack();
  const stream = reply.raw;
  stream.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' });
  stream.flushHeaders();
  const send = (event: { type: string; object: unknown }) => stream.write(`${JSON.stringify(event)}\n`);
  if (replayed === undefined) {
    const expired = new ApiError(410, 'Expired', `too old resource version: ${since} (${store.version})`);
    send({ type: 'ERROR', object: expired.toStatus() });
    stream.end();
    return;
  }
  const relay = (event: StoreEvent) => {
    const seen = concerns(event) ? throughSelector(event, matches) : undefined;
    if (seen !== undefined) send({ ...seen, object: show(seen.object) });
  };
  if (fromNow)
    for (const object of store.list(resource, namespace).filter(matches)) send({ type: 'ADDED', object: show(object) });
  for (const event of replayed) relay(event);
  const unsubscribe = store.subscribe(relay);
  const bookmark = () => {
    const metadata = { resourceVersion: String(store.version), creationTimestamp: null };
    send({ type: 'BOOKMARK', object: { kind: resource.kind, apiVersion: apiVersionOf(resource), metadata } });
  };
  const bookmarks = query.allowWatchBookmarks === true ? setInterval(bookmark, bookmarkIntervalMs) : undefined;
  const end = setTimeout(() => stream.end(), (query.timeoutSeconds ?? watchTimeoutSeconds) * 1000);
  stream.once('close', () => {
    unsubscribe();
    clearInterval(bookmarks);
    clearTimeout(end);
  });
}
