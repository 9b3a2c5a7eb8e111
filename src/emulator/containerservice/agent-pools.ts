import { isDeepStrictEqual } from 'node:util';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { resourceNotFound } from '../arm/errors.js';
import type { Emulator } from '../core/emulator.js';
import { effect, type Effect } from '../core/journal.js';
import { retryAfterSeconds } from '../core/limits.js';
import { parseClusterRequest } from './cluster-request.js';
import { invalidParameter } from './errors.js';
import type { ClusterLifecycle } from './lifecycle.js';
import { poolBodies, type ManagedCluster } from './managed-cluster.js';
import { checkQuota } from './quota.js';
import {
  accepted,
  checkConditions,
  clusterType,
  findCluster,
  refuseInProgress,
  type ClusterRoute,
} from './requests.js';

interface PoolRoute {
  Params: ClusterRoute['Params'] & { pool: string };
}

const bodySchema = z.looseObject({ properties: z.looseObject({}).default({}) });

/** A cluster's pools of nodes, each by itself. */
export function registerAgentPools(app: FastifyInstance, emulator: Emulator, lifecycle: ClusterLifecycle): void {
  const pools =
    `/subscriptions/:subscriptionId/resourceGroups/:resourceGroup/providers/${clusterType}/:cluster/agentPools` as const;

  app.get<ClusterRoute>(pools, ({ params }) => ({ value: poolBodies(findCluster(emulator, params)) }));

  app.get<PoolRoute>(`${pools}/:pool`, ({ params }) => {
    const found = poolBody(findCluster(emulator, params), params.pool);
    if (found !== undefined) return found;
    throw resourceNotFound(`${clusterType}/${params.cluster}/agentPools`, params.pool, params.resourceGroup);
  });

  app.put<PoolRoute>(`${pools}/:pool`, (request, reply) => put(emulator, lifecycle, request, reply));
  app.delete<PoolRoute>(`${pools}/:pool`, (request, reply) => remove(emulator, lifecycle, request, reply));
}

function poolBody(cluster: ManagedCluster, name: string): Record<string, unknown> | undefined {
  return poolBodies(cluster).find((body) => body.name === name.toLowerCase());
}

function put(
  emulator: Emulator,
  lifecycle: ClusterLifecycle,
  request: FastifyRequest<PoolRoute>,
  reply: FastifyReply,
): FastifyReply {
  const { name, cluster, profiles, at } = poolOf(emulator, request);
  checkConditions(request, at < 0 ? undefined : cluster);
  refuseInProgress(cluster);
  const body = bodySchema.safeParse(request.body);
  if (!body.success) throw invalidParameter('properties: must be an object', 'properties');
  const pool = { ...body.data.properties, name };
  const wanted = withPools(cluster, at < 0 ? [...profiles, pool] : profiles.toSpliced(at, 1, pool));
  if (isDeepStrictEqual(cluster.request, wanted)) {
    record(request, cluster, name, 'unchanged');
    return reply.send(poolBody(cluster, name));
  }
  checkQuota(emulator, cluster.id, wanted);
  const poolOperation = { pool: name, state: at < 0 ? 'Creating' : 'Updating' } as const;
  const begun = lifecycle.begin(request, { ...cluster, request: wanted, poolOperation }, 'Updating');
  record(request, begun, name, at < 0 ? 'created' : 'updated');
  return reply
    .code(at < 0 ? 201 : 200)
    .headers({ 'azure-asyncoperation': begun.operation?.statusUrl, 'retry-after': retryAfterSeconds })
    .send(poolBody(begun, name));
}

function remove(
  emulator: Emulator,
  lifecycle: ClusterLifecycle,
  request: FastifyRequest<PoolRoute>,
  reply: FastifyReply,
): FastifyReply {
  const { name, cluster, profiles, at } = poolOf(emulator, request);
  if (at < 0) return reply.code(204).send();
  checkConditions(request, cluster);
  refuseInProgress(cluster);
  withPools(cluster, profiles.toSpliced(at, 1));
  const begun = lifecycle.begin(request, { ...cluster, poolOperation: { pool: name, state: 'Deleting' } }, 'Updating');
  record(request, begun, name, 'deleted');
  return accepted(reply, begun);
}

/** The pool that a call names, and its place among those of its cluster: -1 where there is none of that name. */
function poolOf(
  emulator: Emulator,
  { params }: FastifyRequest<PoolRoute>,
): { name: string; cluster: ManagedCluster; profiles: readonly unknown[]; at: number } {
  const name = params.pool.toLowerCase();
  const cluster = findCluster(emulator, params);
  const profiles = cluster.request.properties.agentPoolProfiles;
  return { name, cluster, profiles, at: profiles.findIndex((profile) => profile.name === name) };
}

/** What the cluster would be asked for with these pools. Throws as a PUT of the cluster would. */
function withPools(
  { name, request }: ManagedCluster,
  agentPoolProfiles: readonly unknown[],
): ManagedCluster['request'] {
  return parseClusterRequest(name, { ...request, properties: { ...request.properties, agentPoolProfiles } });
}

function record(request: FastifyRequest, { id }: ManagedCluster, pool: string, change: Effect['change']): void {
  effect(request, { change, kind: 'agent-pool', id: `${id}/agentPools/${pool}` });
}
