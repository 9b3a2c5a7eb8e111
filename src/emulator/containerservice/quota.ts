import type { ClusterRequest } from './cluster-request.js';
import { defaultVmSize } from './cluster-request.js';
import { ContainerServiceError } from './errors.js';
import type { ManagedCluster } from './managed-cluster.js';
import { quotaOf, vmSizeOf } from './vm-sizes.js';

/** Cores of each family that a cluster takes. */
function coresByFamily({ properties }: ClusterRequest): Map<string, number> {
  const cores = new Map<string, number>();
  for (const { vmSize = defaultVmSize, count } of properties.agentPoolProfiles) {
    const size = vmSizeOf(vmSize);
    if (size !== undefined) cores.set(size.family, (cores.get(size.family) ?? 0) + size.cores * count);
  }
  return cores;
}

/**
 * Checks that a cluster fits into the quota of its region beside the others.
 * @throws ContainerServiceError 400 `ErrCode_InsufficientVCPUQuota`, at once and unwrapped, as the service does
 */
export function checkQuota(request: ClusterRequest, others: readonly ManagedCluster[]): void {
  const inRegion = others.filter((cluster) => cluster.request.location === request.location);
  for (const [family, requested] of coresByFamily(request)) {
    const used = inRegion.reduce((total, cluster) => total + (coresByFamily(cluster.request).get(family) ?? 0), 0);
    const remaining = Math.max(0, quotaOf(family) - used);
    if (requested <= remaining) continue;
    throw new ContainerServiceError(
      400,
      'ErrCode_InsufficientVCPUQuota',
      `Insufficient vcpu quota requested ${requested}, remaining ${remaining} for family ${family} for region ` +
        `${request.location}. Please visit https://aka.ms/quotas to request more.`,
    );
  }
}
