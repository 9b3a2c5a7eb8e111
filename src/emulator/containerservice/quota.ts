import { quotaOf, regionalCores } from '../compute/quotas.js';
import { vmSizeOf } from '../compute/vm-sizes.js';
import type { Emulator } from '../core/emulator.js';
import type { ClusterRequest } from './cluster-request.js';
import { defaultVmSize } from './cluster-request.js';
import { ContainerServiceError } from './errors.js';
import { managedClusters, type ManagedCluster } from './managed-cluster.js';

/** Cores that clusters take, by the names of the quotas that they count against. */
function coresOf(requests: readonly ClusterRequest[]): Map<string, number> {
  const cores = new Map<string, number>();
  for (const { vmSize = defaultVmSize, count } of requests.flatMap(({ properties }) => properties.agentPoolProfiles)) {
    const size = vmSizeOf(vmSize);
    if (size === undefined) continue;
    for (const name of [size.family, regionalCores]) cores.set(name, (cores.get(name) ?? 0) + size.cores * count);
  }
  return cores;
}

/** Cores that the clusters of a region take, by the names of the quotas that they count against. */
export function coresUsed(clusters: readonly ManagedCluster[], region: string): Map<string, number> {
  return coresOf(clusters.map(({ request }) => request).filter(({ location }) => location === region));
}

/**
 * Checks that the cluster of that id, as it is asked for, fits into the quotas of its region beside the others.
 * @throws ContainerServiceError 400 `ErrCode_InsufficientVCPUQuota`, at once and unwrapped, as the service does
 */
export function checkQuota(emulator: Emulator, id: string, request: ClusterRequest): void {
  const others = managedClusters(emulator)
    .list()
    .filter((cluster) => cluster.id !== id);
  const used = coresUsed(others, request.location);
  for (const [name, requested] of coresOf([request])) {
    const remaining = Math.max(0, quotaOf(emulator, name) - (used.get(name) ?? 0));
    if (requested <= remaining) continue;
    const what = name === regionalCores ? 'all families' : `family ${name}`;
    throw new ContainerServiceError(
      400,
      'ErrCode_InsufficientVCPUQuota',
      `Insufficient vcpu quota requested ${requested}, remaining ${remaining} for ${what} for region ` +
        `${request.location}. Please visit https://aka.ms/quotas to request more.`,
    );
  }
}
