import { randomUUID } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { fateOf, type OperationError } from '../arm/operations.js';
import { resourceKey } from '../arm/resource-id.js';
import type { Collection } from '../core/documents.js';
import type { Emulator } from '../core/emulator.js';
import { KubernetesCluster } from '../kubernetes/cluster.js';
import { abortSeconds, createSeconds, deleteSeconds, updateSeconds } from './durations.js';
import { managedClusters, nodesOf, type ManagedCluster, type ProvisioningState } from './managed-cluster.js';

const operationTypes = {
  Creating: { type: 'managed-cluster.create', seconds: createSeconds },
  Updating: { type: 'managed-cluster.update', seconds: updateSeconds },
  Deleting: { type: 'managed-cluster.delete', seconds: deleteSeconds },
  Canceling: { type: 'managed-cluster.abort', seconds: abortSeconds },
} as const;

type OperationState = keyof typeof operationTypes;

/** Brings clusters up and down as operations end, and keeps the Kubernetes of each running meanwhile. */
export class ClusterLifecycle {
  private readonly clusters: Collection<ManagedCluster>;
  private readonly running = new Map<string, KubernetesCluster>();

  private constructor(private readonly emulator: Emulator) {
    this.clusters = managedClusters(emulator);
  }

  /** Starts what ran before the emulator was stopped, and goes on with operations that it interrupted. */
  static async start(emulator: Emulator): Promise<ClusterLifecycle> {
    const lifecycle = new ClusterLifecycle(emulator);
    emulator.onClose(() => lifecycle.close());
    for (const cluster of lifecycle.clusters.list()) if (cluster.isUp) await lifecycle.bringUp(cluster);
    lifecycle.defineOperations();
    return lifecycle;
  }

  /** The running Kubernetes of a cluster. */
  kubernetes(id: string): KubernetesCluster | undefined {
    return this.running.get(resourceKey(id));
  }

  /** Begins an operation on a cluster, which is then in that state until it ends. */
  begin(request: FastifyRequest, cluster: ManagedCluster, state: OperationState): ManagedCluster {
    const { statusUrl, resultUrl } = this.emulator.operations.begin(request, {
      ...operationTypes[state],
      resourceId: cluster.id,
      provider: 'Microsoft.ContainerService',
      region: cluster.request.location,
    });
    const { provisioningError: _, relapses: __, ...rest } = cluster;
    const relapses = fateOf(request) === 'relapse';
    const operation = { statusUrl, resultUrl };
    return this.put({ ...rest, provisioningState: state, operation, ...(relapses && { relapses }) });
  }

  put(cluster: ManagedCluster): ManagedCluster {
    const stored = { ...cluster, etag: randomUUID() };
    this.clusters.put(resourceKey(cluster.id), stored);
    return stored;
  }

  /** Removes a cluster with everything in it; what was under way on it ends, unless that is its deletion. */
  async remove(id: string): Promise<void> {
    const key = resourceKey(id);
    if (this.clusters.get(key)?.provisioningState !== 'Deleting') this.emulator.operations.cancel(id);
    await this.running.get(key)?.destroy();
    this.running.delete(key);
    this.clusters.delete(key);
  }

  private defineOperations(): void {
    const { operations } = this.emulator;
    const onFailed = (id: string, error: OperationError) => this.settle(id, 'Failed', error);
    const onSucceeded = async (id: string) => {
      const cluster = this.clusters.get(resourceKey(id));
      if (cluster !== undefined) await this.bringUp(this.put(withoutDeletedPool(cluster)));
      this.settle(id, 'Succeeded');
    };
    operations.define(operationTypes.Creating.type, { onSucceeded, onFailed });
    operations.define(operationTypes.Updating.type, { onSucceeded, onFailed });
    operations.define(operationTypes.Deleting.type, { onSucceeded: (id) => this.remove(id), onFailed });
    operations.define(operationTypes.Canceling.type, { onSucceeded: (id) => this.settle(id, 'Canceled'), onFailed });
  }

  private async bringUp(cluster: ManagedCluster): Promise<void> {
    const key = resourceKey(cluster.id);
    const up = this.running.get(key);
    if (up !== undefined) {
      up.setNodes(nodesOf(cluster));
      return;
    }
    const kubernetes = await KubernetesCluster.start(this.emulator, {
      id: cluster.id,
      key: cluster.key,
      token: cluster.token,
      kubeletObjectId: cluster.kubeletIdentity.objectId,
      nodes: nodesOf(cluster),
    });
    // Its resource group may have gone meanwhile, and it with that.
    if (this.clusters.get(key) === undefined) return kubernetes.destroy();
    this.running.set(key, kubernetes);
    if (!cluster.isUp) this.put({ ...cluster, isUp: true });
  }

  private settle(id: string, state: ProvisioningState, error?: OperationError): void {
    const cluster = this.clusters.get(resourceKey(id));
    if (cluster === undefined) return;
    const { poolOperation: _, ...rest } = cluster;
    this.put({ ...rest, provisioningState: state, ...(error === undefined ? {} : { provisioningError: error }) });
  }

  private async close(): Promise<void> {
    await Promise.all([...this.running.values()].map((cluster) => cluster.close()));
  }
}

/** The cluster without the pool whose deletion is done. */
function withoutDeletedPool(cluster: ManagedCluster): ManagedCluster {
  const { poolOperation, request } = cluster;
  if (poolOperation?.state !== 'Deleting') return cluster;
  const agentPoolProfiles = request.properties.agentPoolProfiles.filter(({ name }) => name !== poolOperation.pool);
  return { ...cluster, request: { ...request, properties: { ...request.properties, agentPoolProfiles } } };
}
