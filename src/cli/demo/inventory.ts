import type { InventoryItem } from '../local/emulator-admin.js';

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

/** Kinds that are named by their content and have no owner: any deployment may use them again. */
const CACHE_KINDS = new Set(['environment-container', 'environment', 'code-container', 'code']);
/** Where Slipway keeps blobs, each under its digest. */
const CACHE_BLOBS = /\/slipway\/(models|photos|code|conversions|build-logs)\/[0-9a-f]{64}/;
/** Where Azure ML writes the logs of jobs. They stay in the workspace's storage account when a job is deleted. */
const JOB_LOGS = /\/azureml\/ExperimentRun\//;

/** What of an inventory a service left. */
export interface Leftovers {
  /** Made by the service's deployments and still there: there must be none. */
  readonly ours: readonly InventoryItem[];
  /** Named by content, kept for the next deployment. */
  readonly cache: readonly InventoryItem[];
  /** Logs that Azure ML keeps. */
  readonly logs: readonly InventoryItem[];
}

/**
 * Sorts what is there now: by its owner, and by what was not there before.
 *
 * @param owner text that the owner of everything of ours contains: the service's uid, or one deployment's mark
 */
export function leftovers(before: readonly InventoryItem[], after: readonly InventoryItem[], owner: string): Leftovers {
  const known = new Set(before.map(({ id }) => id));
  const isOwned = (item: InventoryItem): boolean => item.owner?.includes(owner) ?? false;
  const isNew = (item: InventoryItem): boolean => !known.has(item.id) && !PLATFORM.has(item.kind);
  return {
    ours: after.filter((item) => isOwned(item) || (isNew(item) && !isCache(item) && !isLog(item))),
    cache: after.filter(isCache),
    logs: after.filter(isLog),
  };
}

function isCache({ kind, id }: InventoryItem): boolean {
  return CACHE_KINDS.has(kind) || (kind === 'blob' && CACHE_BLOBS.test(id));
}

function isLog({ kind, id }: InventoryItem): boolean {
  return kind === 'blob' && JOB_LOGS.test(id);
}

/** `12 blob, 1 environment`: how many of each kind. */
export function countByKind(resources: readonly InventoryItem[]): string {
  const counts = new Map<string, number>();
  for (const { kind } of resources) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => `${count} ${kind}`).join(', ') || 'nothing';
}
