import { ApplicationFailure } from '@temporalio/common';
import {
  abortClusterOperation,
  clusterRef,
  deleteCluster,
  getCluster,
  type Cluster,
  type ClusterRef,
} from '../azure/clusters.js';
import type { AzureConnection } from '../azure/connection.js';
import { classify, isTransientConflict } from '../azure/failures.js';
import { connectToKubernetes } from '../azure/kubernetes/connection.js';
import { otherDeployments, otherServices } from '../azure/kubernetes/tenants.js';
import { findPullGrants, revokePull } from '../azure/role-assignments.js';
import { getWorkspace } from '../azure/workspace.js';
import type { DeploymentActivities, RemovalInput } from '../deployment/activities.js';
import { clipMessage, type FailureDetail } from '../deployment/errors.js';
import { activity, stillPresent, type Attempt } from './failure.js';
import { isInScope, removedSoFar, requireAbsence } from './removal.js';

type Activities = Pick<DeploymentActivities, 'removeCluster' | 'removeRoleAssignment'>;

/** Removes a cluster that is ours, and the right to pull that we granted. */
export function createClusterRemovalActivities(azure: AzureConnection): Activities {
  return {
    removeCluster: activity(async (input, attempt) => {
      const { cluster, identity } = input;
      if (cluster === undefined || cluster.existing) return { removed: [] };
      const ref = clusterRef(identity, cluster.name);
      const found = await getCluster(azure, ref, attempt.abortSignal);
      if (found === undefined) {
        requireAbsence(input, `AKS cluster ${cluster.name}`, attempt);
        return { removed: removedSoFar() };
      }
      if (!isInScope(found.owner, input)) return { removed: removedSoFar() };
      removedSoFar([ref.id]);
      const retryAfterSeconds =
        found.state === 'Deleting' ? found.retryAfterSeconds : await beginDeletion(azure, ref, found, input, attempt);
      const message = `AKS cluster ${cluster.name} is being deleted`;
      throw stillPresent(message, { ...attempt, retryAfterSeconds, resource: ref.id });
    }),

    removeRoleAssignment: activity(async (input, attempt) => {
      const { identity } = input;
      const { containerRegistryId } = await getWorkspace(azure, identity, attempt.abortSignal);
      const granted = await findPullGrants(azure, identity, containerRegistryId, attempt.abortSignal);
      const ours = granted.filter(({ owner }) => isInScope(owner, input));
      if (ours.length > 0 && (await pullersBeside(azure, input, attempt)).length > 0)
        return { removed: removedSoFar() };
      for (const grant of ours) {
        await revokePull(azure, identity, containerRegistryId, grant, attempt.abortSignal);
        removedSoFar([grant.id]);
      }
      requireAbsence(input, 'the right to pull', attempt);
      return { removed: removedSoFar() };
    }),
  };
}

/** Returns the seconds after which Azure wants to be asked, if it said so. */
async function beginDeletion(
  azure: AzureConnection,
  ref: ClusterRef,
  found: Cluster,
  input: RemovalInput,
  attempt: Attempt,
): Promise<number | undefined> {
  await requireNobodyElse(azure, ref, found, input, attempt);
  try {
    return await deleteCluster(azure, ref, attempt.abortSignal);
  } catch (error) {
    if (!isTransientConflict(error)) throw error;
    // Whatever is in progress on a cluster that goes is of no use.
    await abortClusterOperation(azure, ref, attempt.abortSignal);
    const message = `AKS cluster ${ref.name} is ${found.state}: that is aborted before it is deleted`;
    throw stillPresent(message, { ...attempt, ...found, resource: ref.id });
  }
}

/** Someone may have adopted our cluster meanwhile; their services are not ours to take down. */
async function requireNobodyElse(
  azure: AzureConnection,
  ref: ClusterRef,
  found: Cluster,
  input: RemovalInput,
  { abortSignal }: Attempt,
): Promise<void> {
  if (found.state === 'Creating') return;
  const others = await connectToKubernetes(azure, ref, abortSignal)
    .then((kubernetes) => otherDeployments(kubernetes, input.identity))
    // A cluster of ours that never came up, or whose API server does not answer, goes: it is of no use to others either.
    .catch((error: unknown) => {
      if (found.state === 'Succeeded' && classify(error).answered) throw error;
      return [];
    });
  if (others.length === 0) return;
  const detail: FailureDetail = {
    code: 'ClusterInUse',
    message: clipMessage(`AKS cluster ${ref.name} stays: ${others.join(', ')} run on it`),
    fix: 'Move them to another cluster, then delete this one.',
    resource: ref.id,
  };
  throw ApplicationFailure.create({
    type: detail.code,
    message: detail.message,
    nonRetryable: true,
    details: [detail],
  });
}

/** Other services on the same cluster, which pull with the right that one of us was first to grant. */
async function pullersBeside(
  azure: AzureConnection,
  input: RemovalInput,
  { abortSignal }: Attempt,
): Promise<readonly string[]> {
  if (input.cluster === undefined) return [];
  const ref = clusterRef(input.identity, input.cluster.name);
  const found = await getCluster(azure, ref, abortSignal);
  if (found === undefined || found.state === 'Deleting') return [];
  if (input.clusterGoesToo === true && isInScope(found.owner, input)) return [];
  return otherServices(await connectToKubernetes(azure, ref, abortSignal), input.identity);
}
