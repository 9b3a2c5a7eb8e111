import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { resourceName } from '../arm/resource-id.js';
import type { TrackedResource } from '../arm/resource-types.js';
import { vmSizeOf } from '../compute/vm-sizes.js';
import type { Collection } from '../core/documents.js';
import type { Emulator } from '../core/emulator.js';
import type { NodeSpec } from '../kubernetes/cluster.js';
import { kubernetesVersion as newestVersion } from '../kubernetes/limits.js';
import { defaultVmSize, type ClusterRequest, type PoolRequest } from './cluster-request.js';

export type ProvisioningState =
  'Creating' | 'Updating' | 'Deleting' | 'Canceling' | 'Canceled' | 'Succeeded' | 'Failed';

/** A cluster as it is kept. */
export interface ManagedCluster {
  id: string;
  name: string;
  resourceGroup: string;
  request: ClusterRequest;
  provisioningState: ProvisioningState;
  /** Why the last operation failed. */
  provisioningError?: { code: string; message: string };
  /** Whether its Kubernetes is up, which it stays through a failed update. */
  isUp: boolean;
  /** Names its files and documents; another one each time that a cluster is created. */
  key: string;
  /** Bearer token of its kubeconfigs. */
  token: string;
  /** Identity of the control plane. */
  principalId: string;
  kubeletIdentity: { objectId: string; clientId: string };
  /** Random part of its DNS name. */
  dnsSuffix: string;
  etag: string;
  /** The pool that the operation in progress is about, where it is not about the whole cluster. */
  poolOperation?: { pool: string; state: 'Creating' | 'Updating' | 'Deleting' };
  /** Whether an injected fault wants it updated once its success has been seen. */
  relapses?: boolean;
  /** Where to ask for the last operation. */
  operation?: { statusUrl: string; resultUrl: string };
}

export function managedClusters(emulator: Emulator): Collection<ManagedCluster> {
  return emulator.documents.collection<ManagedCluster>('managed-clusters');
}

/** A cluster that is about to be created. */
export function newCluster(id: string, resourceGroup: string, request: ClusterRequest): ManagedCluster {
  return {
    id,
    name: resourceName(id),
    resourceGroup,
    request,
    provisioningState: 'Creating',
    isUp: false,
    key: `aks-${randomBytes(6).toString('hex')}`,
    token: randomBytes(64).toString('hex'),
    principalId: randomUUID(),
    kubeletIdentity: { objectId: randomUUID(), clientId: randomUUID() },
    dnsSuffix: randomBytes(4).toString('hex'),
    etag: randomUUID(),
  };
}

/** Resource group that holds what a cluster is made of. It is only a name here. */
function nodeResourceGroup({ resourceGroup, name, request }: ManagedCluster): string {
  return `MC_${resourceGroup}_${name}_${request.location}`;
}

/** Kubernetes version in full. */
function fullVersion(requested: string | undefined): string {
  if (requested === undefined || newestVersion.startsWith(`${requested}.`)) return newestVersion;
  return requested.split('.').length === 3 ? requested : `${requested}.0`;
}

/** What the lists of Resource Manager have of a cluster. */
export function trackedCluster({ id, request, principalId, provisioningState }: ManagedCluster): TrackedResource {
  return {
    id,
    location: request.location,
    ...(request.tags && { tags: request.tags }),
    sku: { name: 'Base', tier: 'Free', ...request.sku },
    identity: { type: 'SystemAssigned', principalId, ...request.identity },
    provisioningState,
  };
}

/** Resource Manager's body of a cluster, with the casing of the real service: lower-case `resourcegroups` in the id. */
export function clusterBody(cluster: ManagedCluster): Record<string, unknown> {
  const { id, name, request, provisioningState, provisioningError, kubeletIdentity, etag } = cluster;
  const { sku, identity } = trackedCluster(cluster);
  const [, subscriptions = '', subscription = ''] = id.split('/');
  const group = nodeResourceGroup(cluster);
  const isReady = provisioningState === 'Succeeded';
  const identityName = `${name}-agentpool`;
  const { dnsPrefix, fqdnSubdomain, kubernetesVersion, agentPoolProfiles, ...properties } = request.properties;
  const prefix = dnsPrefix ?? fqdnSubdomain ?? name;
  return {
    id: id.replace(/\/resourceGroups\//i, '/resourcegroups/'),
    location: request.location,
    name,
    type: 'Microsoft.ContainerService/ManagedClusters',
    ...(request.tags === undefined ? {} : { tags: request.tags }),
    eTag: etag,
    sku,
    identity,
    properties: {
      enableRBAC: true,
      maxAgentPools: 100,
      supportPlan: 'KubernetesOfficial',
      disableLocalAccounts: false,
      nodeResourceGroup: group,
      networkProfile: {
        networkPlugin: 'azure',
        networkPluginMode: 'overlay',
        loadBalancerSku: 'standard',
        podCidr: '10.244.0.0/16',
        serviceCidr: '10.0.0.0/16',
        dnsServiceIP: '10.0.0.10',
        outboundType: 'loadBalancer',
      },
      ...withoutSecrets(properties),
      provisioningState,
      powerState: { code: 'Running' },
      kubernetesVersion: kubernetesVersion ?? newestVersion.split('.').slice(0, 2).join('.'),
      currentKubernetesVersion: fullVersion(kubernetesVersion),
      dnsPrefix: prefix,
      fqdn: `${prefix}-${cluster.dnsSuffix}.hcp.${request.location}.azmk8s.io`,
      agentPoolProfiles: agentPoolProfiles.map((pool) => poolProperties(cluster, pool)),
      ...(cluster.isUp && {
        identityProfile: {
          kubeletidentity: {
            resourceId:
              `/${subscriptions}/${subscription}/resourcegroups/${group}` +
              `/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${identityName}`,
            ...kubeletIdentity,
          },
        },
      }),
      ...(isReady && { autoScalerProfile: { 'scan-interval': '10s', expander: 'random' } }),
      ...(provisioningError !== undefined && { status: { provisioningError } }),
    },
  };
}

/** Passwords that were sent are never answered. */
function withoutSecrets({ servicePrincipalProfile, ...properties }: Record<string, unknown>): Record<string, unknown> {
  if (typeof servicePrincipalProfile !== 'object' || servicePrincipalProfile === null) return properties;
  const { secret: _, ...profile } = servicePrincipalProfile as Record<string, unknown>;
  return { ...properties, servicePrincipalProfile: profile };
}

/** Properties of one pool, as they stand in the cluster and in the pool's own body. */
function poolProperties(
  { request, provisioningState, poolOperation }: ManagedCluster,
  pool: PoolRequest,
): Record<string, unknown> {
  const own = poolOperation?.pool === pool.name ? poolOperation.state : 'Succeeded';
  const isOwn = poolOperation !== undefined && provisioningState === 'Updating';
  return {
    osDiskSizeGB: 128,
    osDiskType: 'Managed',
    kubeletDiskType: 'OS',
    maxPods: 250,
    type: 'VirtualMachineScaleSets',
    enableAutoScaling: false,
    osSKU: 'Ubuntu',
    powerState: { code: 'Running' },
    orchestratorVersion: request.properties.kubernetesVersion ?? newestVersion.split('.').slice(0, 2).join('.'),
    currentOrchestratorVersion: fullVersion(request.properties.kubernetesVersion),
    ...pool,
    vmSize: pool.vmSize ?? defaultVmSize,
    provisioningState: isOwn ? own : provisioningState,
  };
}

/** Resource Manager's bodies of a cluster's pools. */
export function poolBodies(cluster: ManagedCluster): Record<string, unknown>[] {
  const id = cluster.id.replace(/\/resourceGroups\//i, '/resourcegroups/');
  return cluster.request.properties.agentPoolProfiles.map((pool) => {
    const { name, ...properties } = poolProperties(cluster, pool);
    const type = 'Microsoft.ContainerService/managedClusters/agentPools';
    return { id: `${id}/agentPools/${String(name)}`, name, type, properties: { ...properties, eTag: cluster.etag } };
  });
}

/** The nodes that a cluster's pools have. */
export function nodesOf({ id, request }: ManagedCluster): NodeSpec[] {
  const number = parseInt(createHash('sha256').update(id).digest('hex').slice(0, 12), 16) % 1e8;
  return request.properties.agentPoolProfiles.flatMap(({ name: pool, count, vmSize = defaultVmSize }) => {
    const { cores = 0, memoryGiB = 0 } = vmSizeOf(vmSize) ?? {};
    return Array.from({ length: count }, (_, index) => ({
      name: `aks-${pool}-${String(number).padStart(8, '0')}-vmss${index.toString(36).padStart(6, '0')}`,
      pool,
      vmSize,
      cores,
      memoryBytes: memoryGiB * 1024 ** 3,
    }));
  });
}
