import { releaseKeys, rotatedKeys, writeKeys } from '../azure/kubernetes/keys.js';
import type { ScoringKeys } from '../azure/kubernetes/manifests.js';
import { SlipwayError } from '../deployment/errors.js';
import { identify } from '../deployment/identity.js';
import { releaseName } from '../deployment/names.js';
import { asking } from './azure-failures.js';
import { AZURE_TIMEOUT_MS } from './limits.js';
import { openServiceCluster, type ServiceCluster } from './releases.js';
import type { WorkspaceAccess } from './workspace-access.js';

/** The keys that a live service accepts: either opens it. */
export interface ServiceKeys extends ScoringKeys {
  readonly service: string;
}

/** Which key was made anew. The key itself is told by {@link showKeys} alone. */
export interface RotatedKey {
  readonly service: string;
  readonly rotated: keyof ScoringKeys;
}

/**
 * Reads the keys of a live service from its cluster.
 *
 * @throws SlipwayError `NotLive`, `NoKeys`
 */
export function showKeys(access: WorkspaceAccess, service: string): Promise<ServiceKeys> {
  return asking(async () => {
    const { keys } = await openKeys(access, service);
    return { service, ...keys };
  });
}

/**
 * Makes a new key, in all releases of a service that are in its cluster.
 *
 * @throws SlipwayError `NotLive`, `NoKeys`, `Conflict`
 */
export function rotateKeys(access: WorkspaceAccess, service: string, rotated: keyof ScoringKeys): Promise<RotatedKey> {
  return asking(async () => {
    const { kubernetes, live, keys } = await openKeys(access, service);
    await writeKeys(kubernetes, identify({ ...access.place, service }), live, rotatedKeys(keys, rotated));
    return { service, rotated };
  });
}

async function openKeys(
  { azure, place }: WorkspaceAccess,
  service: string,
): Promise<Pick<ServiceCluster, 'kubernetes'> & { live: string; keys: ScoringKeys }> {
  const { kubernetes, live } = await openServiceCluster(azure, place, service, AbortSignal.timeout(AZURE_TIMEOUT_MS));
  const keys = await releaseKeys(kubernetes, releaseName(service, live));
  if (keys !== undefined) return { kubernetes, live, keys };
  throw new SlipwayError('NoKeys', `The live release of ${service} asks its callers for no key`, {
    fix: 'Deploy it with `"scoring": { "auth": "key" }`.',
  });
}
