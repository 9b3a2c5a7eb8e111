import { isDeepStrictEqual } from 'node:util';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { parseBody, tagsSchema } from '../arm/body.js';
import { resourceGroupId, resourceId, resourceKey } from '../arm/resource-id.js';
import type { Emulator } from '../core/emulator.js';
import { effect, type Effect } from '../core/journal.js';
import { retryAfterSeconds } from '../core/limits.js';
import { parseClusterRequest } from './cluster-request.js';
import { registerAgentPools } from './agent-pools.js';
import { ContainerServiceError } from './errors.js';
import { kubeconfig } from './kubeconfig.js';
import { ClusterLifecycle } from './lifecycle.js';
import { clusterBody, managedClusters, newCluster, trackedCluster, type ManagedCluster } from './managed-cluster.js';
import { checkQuota } from './quota.js';
import {
  accepted,
  checkConditions,
  clusterType,
  existingCluster,
  findCluster,
  isInProgress,
  refuseInProgress,
  type ClusterRoute,
} from './requests.js';

/** Managed clusters: put, get, list, delete, tags, credentials, abort. What is in them is the Kubernetes room's. */
export async function registerContainerService(app: FastifyInstance, emulator: Emulator): Promise<void> {
  const lifecycle = await ClusterLifecycle.start(emulator);
  const provider = new ContainerServiceProvider(emulator, lifecycle);
  emulator.inventory.source(() => provider.inventory());
  emulator.faults.stateSource((path) => {
    const [id = ''] = /^.*\/managedClusters\/[^/]+/i.exec(path) ?? [];
    return managedClusters(emulator).get(resourceKey(id))?.provisioningState;
  });
  emulator.resourceTypes.add({
    type: clusterType,
    kind: 'managed-cluster',
    list: () => managedClusters(emulator).list().map(trackedCluster),
    remove: (id) => lifecycle.remove(id),
  });
  // In a scope of its own, for its errors are not wrapped like Resource Manager's.
  await app.register((scope) => {
    scope.setErrorHandler<FastifyError>((error, _request, reply) => {
      if (!(error instanceof ContainerServiceError)) throw error;
      return reply.code(error.statusCode).send(error.toBody());
    });
    provider.register(scope);
    return Promise.resolve();
  });
}

class ContainerServiceProvider {
  constructor(
    private readonly emulator: Emulator,
    private readonly lifecycle: ClusterLifecycle,
  ) {}

  register(app: FastifyInstance): void {
    const provider = 'providers/Microsoft.ContainerService/managedClusters';
    const collection = `/subscriptions/:subscriptionId/resourceGroups/:resourceGroup/${provider}`;
    const item = `${collection}/:cluster`;
    app.get(`/subscriptions/:subscriptionId/${provider}`, () => this.list(''));
    app.get<ClusterRoute>(collection, ({ params }) => {
      return this.list(resourceKey(resourceGroupId(params.subscriptionId, params.resourceGroup)));
    });
    app.get<ClusterRoute>(item, (request, reply) => this.get(request, reply));
    app.put<ClusterRoute>(item, (request, reply) => this.put(request, reply));
    app.patch<ClusterRoute>(item, (request, reply) => this.patch(request, reply));
    app.delete<ClusterRoute>(item, (request, reply) => this.delete(request, reply));
    app.post<ClusterRoute>(`${item}/abort`, (request, reply) => this.abort(request, reply));
    app.post<ClusterRoute>(`${item}/listClusterUserCredential`, (request) => this.credentials(request, 'clusterUser'));
    app.post<ClusterRoute>(`${item}/listClusterAdminCredential`, (request) =>
      this.credentials(request, 'clusterAdmin'),
    );
    registerAgentPools(app, this.emulator, this.lifecycle);
  }

  inventory() {
    return managedClusters(this.emulator)
      .list()
      .flatMap(({ id, name, request: { tags = {} } }) => [
        { kind: 'managed-cluster', id, name, tags },
        ...(this.lifecycle.kubernetes(id)?.inventory() ?? []),
      ]);
  }

  private list(prefix: string) {
    const clusters = managedClusters(this.emulator).list();
    return { value: clusters.filter(({ id }) => resourceKey(id).startsWith(prefix)).map(clusterBody) };
  }

  private find({ params }: FastifyRequest<ClusterRoute>): ManagedCluster {
    return findCluster(this.emulator, params);
  }

  private get(request: FastifyRequest<ClusterRoute>, reply: FastifyReply): FastifyReply {
    const cluster = this.find(request);
    const relapses = cluster.relapses && cluster.provisioningState === 'Succeeded';
    if (relapses) this.lifecycle.begin(request, cluster, 'Updating');
    return this.answer(reply, cluster);
  }

  private answer(reply: FastifyReply, cluster: ManagedCluster): FastifyReply {
    if (isInProgress(cluster)) reply.header('retry-after', retryAfterSeconds);
    return reply.send(clusterBody(cluster));
  }

  private put(request: FastifyRequest<ClusterRoute>, reply: FastifyReply): FastifyReply {
    const { params } = request;
    const existing = existingCluster(this.emulator, request.params);
    checkConditions(request, existing);
    if (existing !== undefined) refuseInProgress(existing);
    const wanted = parseClusterRequest(params.cluster, request.body);
    const id = existing?.id ?? resourceId(params, clusterType, params.cluster);
    if (existing?.provisioningState === 'Succeeded' && isDeepStrictEqual(existing.request, wanted)) {
      this.record(request, existing, 'unchanged');
      return this.answer(reply, existing);
    }
    checkQuota(this.emulator, id, wanted);
    const next =
      existing === undefined ? newCluster(id, params.resourceGroup, wanted) : { ...existing, request: wanted };
    const begun = this.lifecycle.begin(request, next, next.isUp ? 'Updating' : 'Creating');
    this.record(request, begun, existing === undefined ? 'created' : 'updated');
    reply.code(existing === undefined ? 201 : 200).header('azure-asyncoperation', begun.operation?.statusUrl);
    return this.answer(reply, begun);
  }

  private patch(request: FastifyRequest<ClusterRoute>, reply: FastifyReply): FastifyReply {
    const cluster = this.find(request);
    checkConditions(request, cluster);
    refuseInProgress(cluster);
    const { tags } = parseBody(z.looseObject({ tags: tagsSchema.optional() }), request.body);
    const isSame = isDeepStrictEqual(cluster.request.tags ?? {}, tags ?? {});
    const next = isSame ? cluster : this.lifecycle.put({ ...cluster, request: { ...cluster.request, tags } });
    this.record(request, next, isSame ? 'unchanged' : 'updated');
    return this.answer(reply, next);
  }

  private delete(request: FastifyRequest<ClusterRoute>, reply: FastifyReply): FastifyReply {
    const cluster = existingCluster(this.emulator, request.params);
    if (cluster === undefined) return reply.code(204).send();
    checkConditions(request, cluster);
    const isDeleting = cluster.provisioningState === 'Deleting';
    if (!isDeleting) refuseInProgress(cluster);
    const begun = isDeleting ? cluster : this.lifecycle.begin(request, cluster, 'Deleting');
    this.record(request, begun, isDeleting ? 'unchanged' : 'deleted');
    return accepted(reply, begun);
  }

  private abort(request: FastifyRequest<ClusterRoute>, reply: FastifyReply): FastifyReply {
    const cluster = this.find(request);
    const { provisioningState: state } = cluster;
    if (state === 'Canceling') return accepted(reply, cluster);
    if (!isInProgress(cluster)) {
      const message = `There is no operation in progress to abort; the managed cluster is in the state ${state}.`;
      throw new ContainerServiceError(409, 'OperationNotAllowed', message);
    }
    this.emulator.operations.cancel(cluster.id);
    const begun = this.lifecycle.begin(request, cluster, 'Canceling');
    this.record(request, begun, 'updated');
    return accepted(reply, begun);
  }

  private credentials(request: FastifyRequest<ClusterRoute>, role: 'clusterUser' | 'clusterAdmin') {
    const cluster = this.find(request);
    const kubernetes = this.lifecycle.kubernetes(cluster.id);
    if (kubernetes === undefined) {
      const message = `The managed cluster is not in a state to list its credentials: ${cluster.provisioningState}.`;
      throw new ContainerServiceError(400, 'ManagedClusterNotReady', message);
    }
    const { name, resourceGroup, token } = cluster;
    const { caPem: ca } = this.emulator.certificates;
    const config = kubeconfig({ cluster: name, resourceGroup, role, server: kubernetes.url, ca, token });
    return { kubeconfigs: [{ name: role, value: Buffer.from(config).toString('base64') }] };
  }

  private record(request: FastifyRequest, { id }: ManagedCluster, change: Effect['change']): void {
    effect(request, { change, kind: 'managed-cluster', id });
  }
}
