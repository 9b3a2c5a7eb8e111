import type { Cluster } from '../azure/clusters.js';
import { FailureType, SlipwayError } from '../deployment/errors.js';
import type { ClusterInput } from '../deployment/input.js';
import { isOfService, type Identity } from '../deployment/names.js';

/** States of a cluster whose last operation ended without it being usable. */
export const ENDED_BADLY = ['Failed', 'Canceled'];

/** @throws SlipwayError `ClusterNotFound`, `ClusterStopped` */
export function requireAdoptable(found: Cluster | undefined, { name }: ClusterInput): Cluster {
  if (found === undefined) {
    throw new SlipwayError('ClusterNotFound', `There is no cluster ${name} in the workspace's resource group`, {
      fix: 'Correct cluster.name, or leave cluster.existing out to have the cluster created.',
    });
  }
  requireStarted(found, name);
  return found;
}

/** @throws SlipwayError `ClusterStopped`: a stopped cluster has no API server, and its state is Succeeded all the same */
export function requireStarted({ power }: Cluster, name: string): void {
  if (power !== 'Stopped') return;
  throw new SlipwayError('ClusterStopped', `Cluster ${name} is stopped`, { fix: `Start it: az aks start -n ${name}` });
}

/** @throws SlipwayError `NameConflict` for a cluster that no deployment of the service created */
export function requireOurs(
  found: Cluster | undefined,
  { name }: ClusterInput,
  identity: Identity,
): Cluster & { owner: string } {
  // Not fatal: the PUT met an operation of which nothing is left; the next attempt starts over.
  if (found === undefined) throw new Error(`Cluster ${name} was not created yet`);
  const { owner } = found;
  if (owner !== undefined && isOfService(owner, identity)) return { ...found, owner };
  throw new SlipwayError(
    FailureType.NameConflict,
    `A cluster ${name} exists and ${owner === undefined ? 'was not made by Slipway' : `belongs to another service (${owner})`}`,
    { fix: 'Choose another cluster.name, or adopt the cluster with cluster.existing: true.' },
  );
}

/**
 * Object id of the identity with which the nodes of a cluster pull.
 *
 * @throws SlipwayError `ClusterWithoutKubeletIdentity`
 */
export function requireKubeletIdentity(found: Cluster | undefined, { name }: ClusterInput): string {
  if (found?.kubeletObjectId !== undefined) return found.kubeletObjectId;
  throw new SlipwayError('ClusterWithoutKubeletIdentity', `Cluster ${name} has no identity to pull with`, {
    fix: 'Use a cluster with a managed identity; service principals are not supported.',
  });
}

/** The error for a cluster that is not ours to repair. */
export function clusterFailed({ state, failure }: Cluster, { name }: ClusterInput): SlipwayError {
  const reason = failure === undefined ? 'AKS gives no reason' : `${failure.message} (${failure.code})`;
  return new SlipwayError('ClusterFailed', `AKS cluster ${name} is ${state}: ${reason}`, {
    fix: 'Repair the cluster first.',
  });
}
