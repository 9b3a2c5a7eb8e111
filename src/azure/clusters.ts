import type { ContainerServiceClient, ManagedCluster } from '@azure/arm-containerservice';
import type { ClusterInput } from '../deployment/input.js';
import type { Identity } from '../deployment/names.js';
import { OWNER_TAG, SERVICE_TAG, ownershipMark } from '../deployment/names.js';
import type { AzureConnection } from './connection.js';
import { isNotFound, isTransientConflict, RetryAfter } from './failures.js';

/** Where a cluster is. An adopted one lies in the resource group of the workspace, like one that was created. */
export interface ClusterRef {
  /** ARM id. */
  readonly id: string;
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly name: string;
}

/** A cluster as one look saw it. */
export interface Cluster {
  readonly id: string;
  /** Azure's `provisioningState`, for example `Creating`. */
  readonly state: string;
  /** `Running` or `Stopped`. */
  readonly power: string | undefined;
  readonly region: string;
  /** The mark of the deployment that created it. */
  readonly owner: string | undefined;
  readonly kubernetesVersion: string | undefined;
  /** Nodes of each pool, for people: `1 × Standard_D4s_v3`. */
  readonly nodes: string;
  /** Object id of the identity with which its nodes pull images. */
  readonly kubeletObjectId: string | undefined;
  /** Why the last operation on it failed. */
  readonly failure: { readonly code: string; readonly message: string } | undefined;
  /** What the service asks to wait until the next look. */
  readonly retryAfterSeconds: number | undefined;
}

/** Name of the one node pool that a new cluster gets. */
const NODE_POOL = 'scoring';
/** Longest prefix that AKS takes for the API server's DNS name. */
const DNS_PREFIX_LENGTH = 54;

/** Where the cluster of a deployment is. */
export function clusterRef(
  { subscriptionId, resourceGroup }: Pick<Identity, 'subscriptionId' | 'resourceGroup'>,
  name: string,
): ClusterRef {
  const id = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.ContainerService/managedClusters/${name}`;
  return { id, subscriptionId, resourceGroup, name };
}

/** Looks at a cluster once; undefined when there is none. */
export async function getCluster(
  azure: AzureConnection,
  ref: ClusterRef,
  abortSignal: AbortSignal,
): Promise<Cluster | undefined> {
  const retryAfter = new RetryAfter();
  try {
    const { onResponse } = retryAfter;
    const found = await clustersOf(azure, ref).get(ref.resourceGroup, ref.name, { abortSignal, onResponse });
    return toCluster(found, retryAfter.seconds);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** The clusters of a resource group whose owner mark `matches`. */
export async function findClusters(
  azure: AzureConnection,
  place: Pick<ClusterRef, 'subscriptionId' | 'resourceGroup'>,
  matches: (owner: string | undefined) => boolean,
  abortSignal: AbortSignal,
): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, tags } of clustersOf(azure, place).listByResourceGroup(place.resourceGroup, {
    abortSignal,
  })) {
    if (name !== undefined && matches(tags?.[OWNER_TAG])) names.push(name);
  }
  return names;
}

/**
 * Sends the PUT that creates a cluster, and does not wait for it. The request carries `If-None-Match: *`, so that a cluster
 * that someone else makes in between is not changed.
 *
 * @returns false when a cluster of that name is there, or another operation on it is in progress
 */
export async function createCluster(
  azure: AzureConnection,
  place: { identity: Identity; region: string; cluster: ClusterInput },
  abortSignal: AbortSignal,
): Promise<boolean> {
  const { identity, cluster } = place;
  const tags = { [OWNER_TAG]: ownershipMark(identity), [SERVICE_TAG]: identity.service };
  try {
    await put(azure, clusterRef(identity, cluster.name), parameters(place, tags), { abortSignal, ifNoneMatch: '*' });
    return true;
  } catch (error) {
    if (isTransientConflict(error)) return false;
    throw error;
  }
}

/** Sends the PUT again for a cluster of ours whose creation failed. Its tags stay: who created it does not change. */
export async function recreateCluster(
  azure: AzureConnection,
  place: { identity: Identity; region: string; cluster: ClusterInput; owner: string },
  abortSignal: AbortSignal,
): Promise<void> {
  const tags = { [OWNER_TAG]: place.owner, [SERVICE_TAG]: place.identity.service };
  await put(azure, clusterRef(place.identity, place.cluster.name), parameters(place, tags), { abortSignal });
}

/**
 * Sends the DELETE and does not wait for it. A cluster that is not there is deleted.
 *
 * @returns seconds after which Azure wants to be asked how far it is, if it said so
 */
export async function deleteCluster(
  azure: AzureConnection,
  ref: ClusterRef,
  abortSignal: AbortSignal,
): Promise<number | undefined> {
  const retryAfter = new RetryAfter();
  try {
    const { onResponse } = retryAfter;
    await clustersOf(azure, ref).delete(ref.resourceGroup, ref.name, { abortSignal, onResponse }).submitted();
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  return retryAfter.seconds;
}

/** Asks AKS to abort the operation in progress on a cluster. One that ended in between (409) or is gone needs no abort. */
export async function abortClusterOperation(
  azure: AzureConnection,
  ref: ClusterRef,
  abortSignal: AbortSignal,
): Promise<void> {
  try {
    await clustersOf(azure, ref).abortLatestOperation(ref.resourceGroup, ref.name, { abortSignal }).submitted();
  } catch (error) {
    if (!isTransientConflict(error) && !isNotFound(error)) throw error;
  }
}

/** The user kubeconfig of a cluster, as YAML. It holds credentials: it is never returned from an activity. */
export async function userKubeconfig(
  azure: AzureConnection,
  ref: ClusterRef,
  abortSignal: AbortSignal,
): Promise<string | undefined> {
  const credentials = await clustersOf(azure, ref).listClusterUserCredentials(ref.resourceGroup, ref.name, {
    abortSignal,
  });
  const value = credentials.kubeconfigs?.[0]?.value;
  return value === undefined ? undefined : Buffer.from(value).toString('utf8');
}

function clustersOf(
  azure: AzureConnection,
  { subscriptionId }: Pick<ClusterRef, 'subscriptionId'>,
): ContainerServiceClient['managedClusters'] {
  return azure.containerService(subscriptionId).managedClusters;
}

async function put(
  azure: AzureConnection,
  ref: ClusterRef,
  body: ManagedCluster,
  options: { abortSignal: AbortSignal; ifNoneMatch?: string },
): Promise<void> {
  // A poller is thenable, and awaiting it would wait for the cluster: `submitted` is the reply to the PUT alone.
  await clustersOf(azure, ref).createOrUpdate(ref.resourceGroup, ref.name, body, options).submitted();
}

function parameters(
  { region, cluster }: { region: string; cluster: ClusterInput },
  tags: Record<string, string>,
): ManagedCluster {
  return {
    location: region,
    tags,
    identity: { type: 'SystemAssigned' },
    dnsPrefix: dnsPrefix(cluster.name),
    agentPoolProfiles: [
      { name: NODE_POOL, mode: 'System', osType: 'Linux', vmSize: cluster.vmSize, count: cluster.nodeCount },
    ],
    ...(cluster.kubernetesVersion !== undefined && { kubernetesVersion: cluster.kubernetesVersion }),
  };
}

/** AKS takes letters, digits and inner hyphens here; a cluster's name may hold underscores. */
function dnsPrefix(name: string): string {
  return name.replaceAll('_', '-').slice(0, DNS_PREFIX_LENGTH).replace(/-+$/, '');
}

function toCluster(found: ManagedCluster, retryAfterSeconds: number | undefined): Cluster {
  const error = found.status?.provisioningError;
  const pools = found.agentPoolProfiles ?? [];
  return {
    id: found.id ?? '',
    state: found.provisioningState ?? 'Unknown',
    power: found.powerState?.code,
    region: found.location,
    owner: found.tags?.[OWNER_TAG],
    kubernetesVersion: found.currentKubernetesVersion ?? found.kubernetesVersion,
    nodes: pools.map(({ count, vmSize }) => `${count ?? '?'} × ${vmSize ?? '?'}`).join(' + '),
    kubeletObjectId: found.identityProfile?.['kubeletidentity']?.objectId,
    failure: error && { code: error.code ?? 'Unknown', message: error.message ?? 'AKS gives no reason' },
    retryAfterSeconds,
  };
}
