import { clusterRef, createCluster, getCluster, recreateCluster, type Cluster } from '../azure/clusters.js';
import type { AzureConnection } from '../azure/connection.js';
import { grantPull } from '../azure/role-assignments.js';
import type { DeploymentActivities } from '../deployment/activities.js';
import { SlipwayError } from '../deployment/errors.js';
import type { ClusterInput } from '../deployment/input.js';
import { spokenAge } from './age.js';
import {
  clusterFailed,
  ENDED_BADLY,
  requireAdoptable,
  requireKubeletIdentity,
  requireOurs,
  requireStarted,
} from './cluster-fitness.js';
import { activity, operationFailed, stillRunning, type Attempt } from './failure.js';

type Activities = Pick<DeploymentActivities, 'beginCluster' | 'awaitCluster' | 'grantPull'>;

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
      const kubelet = requireKubeletIdentity(found, cluster);
      await grantPull(azure, identity, workspace.containerRegistryId, kubelet, abortSignal);
    }),
  };
}

function look(found: Cluster, { ageSeconds, remainingSeconds }: Attempt) {
  return { retryAfterSeconds: found.retryAfterSeconds, ageSeconds, remainingSeconds };
}

function provisioningFailed(found: Cluster, cluster: ClusterInput): Error {
  // Beginning again would not touch an adopted cluster.
  if (cluster.existing) return clusterFailed(found, cluster);
  const failure = found.failure ?? {
    // A cluster that someone aborted carries no error.
    code: found.state === 'Canceled' ? 'OperationPreempted' : 'InternalOperationError',
    message: 'AKS gives no reason',
  };
  const message = `AKS cluster ${cluster.name} is ${found.state}: ${failure.message}`;
  return operationFailed({ ...failure, message, resource: found.id });
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
