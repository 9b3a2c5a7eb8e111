import type { Resource } from '../local/azure-admin.js';

/** Kinds that a subscription has before anything is deployed, and keeps. */
const PLATFORM = new Set([
  'subscription',
  'resource-group',
  'storage-account',
  'container-registry',
  'workspace',
  'datastore',
  'compute',
]);

/** What of an inventory a service left. */
export interface Leftovers {
  /** Made by the service's deployments and still there: there must be none. */
  readonly ours: readonly Resource[];
  /** Named by content, kept for the next deployment. */
  readonly cache: readonly Resource[];
}

/**
 * Sorts what is there now and was not there before.
 *
 * @param owner text that the owner of everything of ours contains: the service's uid, or one deployment's mark
 */
export function leftovers(before: readonly Resource[], after: readonly Resource[], owner: string): Leftovers {
  const known = new Set(before.map(({ id }) => id));
  const ours = after.filter(
    (item) => !item.cache && (isOwned(item, owner) || (!known.has(item.id) && !PLATFORM.has(item.kind))),
  );
  return { ours, cache: after.filter(({ cache }) => cache) };
}

function isOwned(item: Resource, owner: string): boolean {
  return item.owner?.includes(owner) ?? false;
}

/** `12 blob, 1 environment`: how many of each kind. */
export function countByKind(resources: readonly Resource[]): string {
  const counts = new Map<string, number>();
  for (const { kind } of resources) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => `${count} ${kind}`).join(', ') || 'nothing';
}
