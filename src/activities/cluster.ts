import { clusterRef, createCluster, getCluster, recreateCluster, type Cluster } from '../azure/clusters.js';
import type { AzureConnection } from '../azure/connection.js';
import { grantPull } from '../azure/role-assignments.js';
import type { DeploymentActivities } from '../deployment/activities.js';
import { FailureType, SlipwayError } from '../deployment/errors.js';
import type { ClusterInput } from '../deployment/input.js';
import { isOfService } from '../deployment/names.js';
import { spokenAge } from './age.js';
import { activity, operationFailed, stillRunning, type Attempt } from './failure.js';

type Activities = Pick<DeploymentActivities, 'beginCluster' | 'awaitCluster' | 'grantPull'>;

/** States of a cluster whose last operation ended without it being usable. */
const ENDED_BADLY = ['Failed', 'Canceled'];

/** The cluster step: create or adopt, await, and allow to pull images. */
export function createClusterActivities(azure: AzureConnection): Activities {
  return {
    beginCluster: activity(async ({ identity, workspace, cluster }, attempt) => {
      const { abortSignal } = attempt;
      const ref = clusterRef(identity, cluster.name);
      const found = await getCluster(azure, ref, abortSignal);
      if (cluster.existing) return { clusterId: requireAdoptable(found, cluster).id };
      if (found?.state === 'Deleting') {
        throw stillRunning(`AKS cluster ${cluster.name} is still being deleted`, look(found, attempt));
      }
      const place = { identity, region: cluster.region ?? workspace.region, cluster };
      if (found === undefined) {
        await createCluster(azure, place, abortSignal);
        // What the PUT met, if it met something, is seen here: ours from a lost reply, or someone else's.
        return { clusterId: requireOurs(await getCluster(azure, ref, abortSignal), cluster, identity).id };
      }
      const ours = requireOurs(found, cluster, identity);
      requireStarted(ours, cluster.name);
      if (ENDED_BADLY.includes(ours.state)) await recreateCluster(azure, { ...place, owner: ours.owner }, abortSignal);
      return { clusterId: ours.id };
    }),

    awaitCluster: activity(async ({ identity, cluster }, attempt) => {
      const found = await getCluster(azure, clusterRef(identity, cluster.name), attempt.abortSignal);
      if (found === undefined) throw goneWhileAwaited(cluster);
      if (found.state === 'Succeeded') return { clusterId: found.id, detail: describe(found, cluster) };
      if (ENDED_BADLY.includes(found.state)) throw provisioningFailed(found, cluster);
      const age = spokenAge(attempt.ageSeconds);
      throw stillRunning(`AKS cluster ${cluster.name} is ${found.state}, ${age}`, look(found, attempt));
    }),

    grantPull: activity(async ({ identity, workspace, cluster }, { abortSignal }) => {
      const found = await getCluster(azure, clusterRef(identity, cluster.name), abortSignal);
      if (found?.kubeletObjectId === undefined) {
        throw new SlipwayError(
          'ClusterWithoutKubeletIdentity',
          `Cluster ${cluster.name} has no identity to pull with`,
          {
            fix: 'Use a cluster with a managed identity; service principals are not supported.',
          },
        );
      }
      await grantPull(azure, identity, workspace.containerRegistryId, found.kubeletObjectId, abortSignal);
    }),
  };
}

function look(found: Cluster, { ageSeconds, remainingSeconds }: Attempt) {
  return { retryAfterSeconds: found.retryAfterSeconds, ageSeconds, remainingSeconds };
}

function requireAdoptable(found: Cluster | undefined, { name }: ClusterInput): Cluster {
  if (found === undefined) {
    throw new SlipwayError('ClusterNotFound', `There is no cluster ${name} in the workspace's resource group`, {
      fix: 'Correct cluster.name, or leave cluster.existing out to have the cluster created.',
    });
  }
  requireStarted(found, name);
  return found;
}

/** @throws SlipwayError `ClusterStopped`: a stopped cluster has no API server, and its state is Succeeded all the same */
function requireStarted({ power }: Cluster, name: string): void {
  if (power !== 'Stopped') return;
  throw new SlipwayError('ClusterStopped', `Cluster ${name} is stopped`, { fix: `Start it: az aks start -n ${name}` });
}

function requireOurs(
  found: Cluster | undefined,
  { name }: ClusterInput,
  identity: Parameters<typeof isOfService>[1],
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

function provisioningFailed(found: Cluster, cluster: ClusterInput): Error {
  const failure = found.failure ?? {
    // A cluster that someone aborted carries no error.
    code: found.state === 'Canceled' ? 'OperationPreempted' : 'InternalOperationError',
    message: `AKS says ${found.state} and gives no reason`,
  };
  const message = `AKS cluster ${cluster.name} is ${found.state}: ${failure.message}`;
  if (!cluster.existing) return operationFailed({ ...failure, message, resource: found.id });
  // Beginning again would not touch an adopted cluster.
  return new SlipwayError('ClusterFailed', `${message} (${failure.code})`, { fix: 'Repair the cluster first.' });
}

function goneWhileAwaited({ name, existing }: ClusterInput): Error {
  const message = `AKS cluster ${name} is gone`;
  return existing
    ? new SlipwayError('ClusterNotFound', message)
    : operationFailed({ code: 'OperationPreempted', message });
}

function describe(found: Cluster, { name, existing }: ClusterInput): string {
  const version = found.kubernetesVersion === undefined ? '' : `, Kubernetes ${found.kubernetesVersion}`;
  return `${name}${existing ? ' (adopted)' : ''}${version}, ${found.nodes}`;
}
