import type { Cluster } from '../../azure/clusters.js';
import type { AzureConnection } from '../../azure/connection.js';
import { requireTrust } from '../../azure/kubernetes/certificate.js';
import { requireOurs as requireOwnObject } from '../../azure/kubernetes/objects.js';
import { readPublicService } from '../../azure/kubernetes/public-service.js';
import type { PreflightInput } from '../../deployment/activities.js';
import { SlipwayError } from '../../deployment/errors.js';
import type { ClusterInput } from '../../deployment/input.js';
import type { Identity } from '../../deployment/names.js';
import { connectTo } from '../cluster-access.js';
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

/**
 * The name of the public Service must be free or ours in a cluster that others use too. A cluster that is not ready cannot be
 * asked: the service step will find out.
 *
 * @throws SlipwayError `NameConflict`
 */
export async function checkPublicService(
  azure: AzureConnection,
  { identity, cluster }: Pick<PreflightInput, 'identity' | 'cluster'>,
  found: Cluster | undefined,
  abortSignal: AbortSignal,
): Promise<void> {
  if (!cluster.existing || !canBeAsked(found)) return;
  const name = identity.service;
  const service = await readPublicService(await connectTo(azure, { identity, cluster }, abortSignal), name);
  if (service !== undefined) requireOwnObject(identity, { kind: 'Service', name }, service);
}

/**
 * The certificate must be usable in a cluster that is there already. Into one that is created it can only be put later: the
 * service step waits for it.
 *
 * @throws SlipwayError `TlsSecretMissing`, `TlsSecretUnusable`
 */
export async function checkCertificate(
  azure: AzureConnection,
  { identity, cluster, scoring }: Pick<PreflightInput, 'identity' | 'cluster' | 'scoring'>,
  found: Cluster | undefined,
  abortSignal: AbortSignal,
): Promise<void> {
  if (scoring.tls === undefined || !canBeAsked(found)) return;
  await requireTrust(await connectTo(azure, { identity, cluster }, abortSignal), scoring.tls);
}

function canBeAsked(found: Cluster | undefined): boolean {
  return found?.state === 'Succeeded' && found.power !== 'Stopped';
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
