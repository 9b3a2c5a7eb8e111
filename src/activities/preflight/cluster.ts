import type { Cluster } from '../../azure/clusters.js';
import { SlipwayError } from '../../deployment/errors.js';
import type { ClusterInput } from '../../deployment/input.js';
import type { Identity } from '../../deployment/names.js';
import {
  clusterFailed,
  ENDED_BADLY,
  requireAdoptable,
  requireKubeletIdentity,
  requireOurs,
  requireStarted,
} from '../cluster-fitness.js';

/**
 * A cluster that is there must be ours, or fit to be adopted, and where the file wants it.
 *
 * @throws SlipwayError `ClusterNotFound`, `ClusterStopped`, `ClusterFailed`, `ClusterWithoutKubeletIdentity`, `NameConflict`,
 *   `ClusterInOtherRegion`
 */
export function checkCluster(found: Cluster | undefined, cluster: ClusterInput, identity: Identity): void {
  if (cluster.existing) checkAdopted(requireAdoptable(found, cluster), cluster);
  // One that is being deleted is waited for; whose it was counts for nothing.
  else if (found !== undefined && found.state !== 'Deleting') {
    requireOurs(found, cluster, identity);
    requireStarted(found, cluster.name);
    requireRegion(found, cluster);
  }
}

function checkAdopted(found: Cluster, cluster: ClusterInput): void {
  if ([...ENDED_BADLY, 'Deleting'].includes(found.state)) throw clusterFailed(found, cluster);
  requireRegion(found, cluster);
  if (found.state === 'Succeeded') requireKubeletIdentity(found, cluster);
}

function requireRegion(found: Cluster, { name, region }: ClusterInput): void {
  if (region === undefined || region === found.region) return;
  throw new SlipwayError(
    'ClusterInOtherRegion',
    `Cluster ${name} is in ${found.region}, and cluster.region says ${region}`,
    {
      fix: `Write cluster.region: ${found.region}, or choose another cluster.name: a cluster cannot move.`,
    },
  );
}
