import { clusterRef, findClusters, getCluster } from '../azure/clusters.js';
import type { AzureConnection } from '../azure/connection.js';
import { classify } from '../azure/failures.js';
import { connectToKubernetes } from '../azure/kubernetes/connection.js';
import { otherDeployments } from '../azure/kubernetes/tenants.js';
import { findModelContainers, type ModelContainer } from '../azure/model-containers.js';
import { listManifests, openRepository } from '../azure/registry.js';
import { getWorkspace } from '../azure/workspace.js';
import type { DeploymentActivities, ServiceLocation } from '../deployment/activities.js';
import { CLUSTER_TAG, imageRepository, isOfService, type Identity } from '../deployment/names.js';
import { activity } from './failure.js';

type Activities = Pick<DeploymentActivities, 'findService'>;

/** Finds a service by its marks alone: what a teardown looks at. */
export function createLocationActivities(azure: AzureConnection): Activities {
  return {
    findService: activity(async ({ identity }, { abortSignal }) => {
      const containers = await findModelContainers(azure, identity, abortSignal);
      const created = await findClusters(azure, identity, (owner) => isOfService(owner, identity), abortSignal);
      const clusterName = nameOfCluster(containers) ?? created[0];
      const cluster = clusterName === undefined ? {} : await locateCluster(azure, identity, clusterName, abortSignal);
      const found = containers.length > 0 || created.length > 0 || (await hasImages(azure, identity, abortSignal));
      return { ...cluster, found };
    }),
  };
}

async function locateCluster(
  azure: AzureConnection,
  identity: Identity,
  name: string,
  abortSignal: AbortSignal,
): Promise<Pick<ServiceLocation, 'cluster' | 'clusterHeldBy'>> {
  const ref = clusterRef(identity, name);
  const found = await getCluster(azure, ref, abortSignal);
  if (found === undefined) return {};
  const existing = !isOfService(found.owner, identity);
  const cluster = { name, existing };
  if (existing) return { cluster, clusterHeldBy: `cluster ${name} was not created by this service` };
  try {
    const others = await otherDeployments(await connectToKubernetes(azure, ref, abortSignal), identity);
    return others.length === 0
      ? { cluster }
      : { cluster, clusterHeldBy: `${others.join(', ')} run on cluster ${name}` };
  } catch (error) {
    // Azure refuses the credentials of a cluster that never came up, where nobody can run anything.
    if (found.state !== 'Succeeded') return { cluster };
    if (abortSignal.aborted || classify(error).answered) throw error;
    return { cluster, clusterHeldBy: `cluster ${name} does not answer, so that others may run on it` };
  }
}

/** The containers of a service's models carry the cluster's ARM id. */
function nameOfCluster(containers: readonly ModelContainer[]): string | undefined {
  const id = containers.map(({ tags }) => tags[CLUSTER_TAG]).find((tag) => tag !== undefined);
  return id?.split('/').at(-1);
}

async function hasImages(azure: AzureConnection, identity: Identity, abortSignal: AbortSignal): Promise<boolean> {
  const { containerRegistryId } = await getWorkspace(azure, identity, abortSignal);
  const repository = await openRepository(azure, containerRegistryId, imageRepository(identity), abortSignal);
  return (await listManifests(repository, abortSignal)).length > 0;
}
