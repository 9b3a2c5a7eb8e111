import type { DeploymentActivities, Workspace } from '../deployment/activities.js';
import type { ClusterInput } from '../deployment/input.js';
import type { Identity } from '../deployment/names.js';
import { beginAgain } from './begin-again.js';
import type { Saga } from './saga.js';

/** The cluster step: created or adopted, awaited, and allowed to pull images. An adopted cluster is never undone. */
export async function provision(
  activities: DeploymentActivities,
  saga: Saga,
  input: { identity: Identity; workspace: Workspace; cluster: ClusterInput },
): Promise<{ clusterId: string; detail: string }> {
  const begin = () => activities.beginCluster(input);
  const ready = await beginAgain(async () => {
    await (input.cluster.existing ? begin() : saga.doing('cluster', begin));
    return activities.awaitCluster(input);
  });
  await saga.doing('role-assignment', () => activities.grantPull(input));
  return ready;
}
