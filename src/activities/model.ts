import { openBlobStore, type BlobStore } from '../azure/blobs.js';
import { clusterRef } from '../azure/clusters.js';
import type { AzureConnection } from '../azure/connection.js';
import { ensureModelContainer, findModelContainers } from '../azure/model-containers.js';
import { ensureModelVersion, getModelVersion, listModelVersions } from '../azure/models.js';
import type { DeploymentActivities, ModelVersion } from '../deployment/activities.js';
import { SlipwayError } from '../deployment/errors.js';
import type { ModelInput, ModelSource } from '../deployment/input.js';
import { CLUSTER_TAG, type Identity } from '../deployment/names.js';
import { activity } from './failure.js';
import { removeModels } from './remove-models.js';

type Activities = Pick<DeploymentActivities, 'registerModel' | 'removeRegisteredModel'>;

/** The register step: the source model as a version in the workspace. */
export function createModelActivities(azure: AzureConnection): Activities {
  return {
    registerModel: activity(async (input, { abortSignal }) => {
      const { identity, workspace, model } = input;
      const { source } = model;
      const cluster = clusterRef(identity, input.cluster.name).id;
      await requireSameCluster(azure, identity, cluster, abortSignal);
      if (source.kind === 'registered') return findRegistered(azure, identity, source, abortSignal);
      const container = { name: model.name, role: 'source' as const, tags: { [CLUSTER_TAG]: cluster } };
      await ensureModelContainer(azure, identity, container, abortSignal);
      const store = await openBlobStore(azure, workspace, abortSignal);
      return ensureModelVersion(azure, identity, model.name, contentOf(model, source, store), abortSignal);
    }),

    removeRegisteredModel: activity((input, attempt) => removeModels(azure, input, 'source', attempt)),
  };
}

/**
 * A service lives on one cluster: what runs on the one before would be found by nobody once the tags name another. Every
 * model of the service is asked, because a deployment may give its model another name.
 */
async function requireSameCluster(
  azure: AzureConnection,
  identity: Identity,
  cluster: string,
  abortSignal: AbortSignal,
): Promise<void> {
  const containers = await findModelContainers(azure, identity, abortSignal);
  const other = containers
    .flatMap(({ tags }) => tags[CLUSTER_TAG] ?? [])
    .find((tag) => tag.toLowerCase() !== cluster.toLowerCase());
  if (other === undefined) return;
  throw new SlipwayError('ServiceOnOtherCluster', `Service ${identity.service} lives on cluster ${other}`, {
    fix: `Deploy it there, or delete it first: slipway delete ${identity.service}`,
  });
}

function contentOf(
  { description, tags, properties }: ModelInput,
  source: Extract<ModelSource, { kind: 'uploaded' }>,
  store: BlobStore,
) {
  return { digest: source.digest, url: store.uri(source.path), description, tags, properties };
}

async function findRegistered(
  azure: AzureConnection,
  identity: Identity,
  { name, version }: Extract<ModelSource, { kind: 'registered' }>,
  abortSignal: AbortSignal,
): Promise<ModelVersion> {
  const wanted = version === 'latest' ? await latestVersion(azure, identity, name, abortSignal) : version;
  const {
    owner: _owner,
    archived: _archived,
    ...found
  } = await getModelVersion(azure, identity, name, wanted, abortSignal);
  return found;
}

async function latestVersion(
  azure: AzureConnection,
  identity: Identity,
  name: string,
  abortSignal: AbortSignal,
): Promise<string> {
  const versions = await listModelVersions(azure, identity, name, abortSignal);
  const latest = versions
    .filter(({ archived }) => !archived)
    .sort((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt) || Number(b.version) - Number(a.version))
    .at(0);
  if (latest) return latest.version;
  throw new SlipwayError('ModelNotFound', `The workspace has no model ${name}`, {
    fix: 'Correct model.source, or give model.path to deploy a SavedModel of yours.',
  });
}
