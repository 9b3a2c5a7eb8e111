import type { FastifyReply, FastifyRequest } from 'fastify';
import { resourceNotFound } from '../arm/errors.js';
import { resourceId, resourceKey } from '../arm/resource-id.js';
import type { Emulator } from '../core/emulator.js';
import { retryAfterSeconds } from '../core/limits.js';
import { operationInProgress, preconditionFailed } from './errors.js';
import { managedClusters, type ManagedCluster } from './managed-cluster.js';

export const clusterType = 'Microsoft.ContainerService/managedClusters';

/** A call about one cluster. */
export interface ClusterRoute {
  Params: { subscriptionId: string; resourceGroup: string; cluster: string };
}

/** States in which an operation is on its way. */
const inProgress = new Set(['Creating', 'Updating', 'Deleting', 'Canceling']);

/** Whether an operation is on its way on a cluster. */
export function isInProgress({ provisioningState }: ManagedCluster): boolean {
  return inProgress.has(provisioningState);
}

/** @throws ContainerServiceError 409 while an operation is on its way */
export function refuseInProgress(cluster: ManagedCluster): void {
  if (isInProgress(cluster)) throw operationInProgress(cluster.provisioningState);
}

/** The cluster that a path names, if there is one. */
export function existingCluster(emulator: Emulator, params: ClusterRoute['Params']): ManagedCluster | undefined {
  return managedClusters(emulator).get(resourceKey(resourceId(params, clusterType, params.cluster)));
}

/** The cluster that a path names. Throws the gateway's ResourceNotFound. */
export function findCluster(emulator: Emulator, params: ClusterRoute['Params']): ManagedCluster {
  const found = existingCluster(emulator, params);
  if (found === undefined) throw resourceNotFound(clusterType, params.cluster, params.resourceGroup);
  return found;
}

/** Answers 202 with both addresses of the cluster's operation. */
export function accepted(reply: FastifyReply, { operation }: ManagedCluster): FastifyReply {
  return reply
    .code(202)
    .headers({
      'azure-asyncoperation': operation?.statusUrl,
      location: operation?.resultUrl,
      'retry-after': retryAfterSeconds,
      'content-length': 0,
    })
    .send();
}

/** Checks If-Match and If-None-Match. Throws ContainerServiceError 412. */
export function checkConditions({ headers }: FastifyRequest, existing: { etag: string } | undefined): void {
  const { 'if-none-match': ifNoneMatch, 'if-match': ifMatch } = headers;
  if (ifNoneMatch !== undefined && existing !== undefined) {
    if (ifNoneMatch === '*' || ifNoneMatch === existing.etag) throw preconditionFailed('If-None-Match');
  }
  if (ifMatch !== undefined && (existing === undefined || (ifMatch !== '*' && ifMatch !== existing.etag))) {
    throw preconditionFailed('If-Match');
  }
}
