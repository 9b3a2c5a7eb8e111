import { clusterRef } from '../../azure/clusters.js';
import type { AzureConnection } from '../../azure/connection.js';
import { findModelContainers, getModelContainer, requireOwnContainer } from '../../azure/model-containers.js';
import { SlipwayError } from '../../deployment/errors.js';
import type { ClusterInput, ModelInput } from '../../deployment/input.js';
import { CLUSTER_TAG, convertedModelName, type Identity } from '../../deployment/names.js';
import { findRegistered } from '../model.js';

/**
 * The models that are registered must be ours or new, and one that is only read must be there.
 *
 * @throws SlipwayError `NameConflict`, `ModelNotFound`
 */
export async function checkModels(
  azure: AzureConnection,
  identity: Identity,
  { name, source }: ModelInput,
  abortSignal: AbortSignal,
): Promise<void> {
  const ours = [convertedModelName(name), ...(source.kind === 'uploaded' ? [name] : [])];
  await Promise.all([
    ...ours.map(async (each) =>
      requireOwnContainer(await getModelContainer(azure, identity, each, abortSignal), identity),
    ),
    ...(source.kind === 'registered' ? [findRegistered(azure, identity, source, abortSignal)] : []),
  ]);
}

/**
 * A service lives on one cluster: what runs on the one before would be found by nobody once the tags name another. Every
 * model of the service is asked, because a deployment may give its model another name.
 *
 * @throws SlipwayError `ServiceOnOtherCluster`
 */
export async function checkSameCluster(
  azure: AzureConnection,
  identity: Identity,
  { name }: ClusterInput,
  abortSignal: AbortSignal,
): Promise<void> {
  const cluster = clusterRef(identity, name).id.toLowerCase();
  const containers = await findModelContainers(azure, identity, abortSignal);
  const other = containers.flatMap(({ tags }) => tags[CLUSTER_TAG] ?? []).find((tag) => tag.toLowerCase() !== cluster);
  if (other === undefined) return;
  throw new SlipwayError('ServiceOnOtherCluster', `Service ${identity.service} lives on cluster ${other}`, {
    fix: `Deploy it there, or delete it first: slipway delete ${identity.service}`,
  });
}
