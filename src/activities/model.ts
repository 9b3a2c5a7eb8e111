import { openBlobStore, type BlobStore } from '../azure/blobs.js';
import { clusterRef } from '../azure/clusters.js';
import type { AzureConnection } from '../azure/connection.js';
import { isNotFound } from '../azure/failures.js';
import { ensureModelContainer } from '../azure/model-containers.js';
import { ensureModelVersion, getModelVersion, listModelVersions } from '../azure/models.js';
import type { DeploymentActivities, ModelVersion } from '../deployment/activities.js';
import { SlipwayError } from '../deployment/errors.js';
import type { ModelInput, ModelSource } from '../deployment/input.js';
import { CLUSTER_TAG, type Identity } from '../deployment/names.js';
import { activity } from './failure.js';
import { removeModels } from './remove-models.js';

type Activities = Pick<DeploymentActivities, 'registerModel' | 'findLatestModel' | 'removeRegisteredModel'>;

/** The register step: the source model as a version in the workspace. */
export function createModelActivities(azure: AzureConnection): Activities {
  return {
    registerModel: activity(async (input, { abortSignal }) => {
      const { identity, workspace, model } = input;
      const { source } = model;
      if (source.kind === 'registered') return findRegistered(azure, identity, source, abortSignal);
      const tags = { [CLUSTER_TAG]: clusterRef(identity, input.cluster.name).id };
      const container = { name: model.name, role: 'source' as const, tags };
      await ensureModelContainer(azure, identity, container, abortSignal);
      const store = await openBlobStore(azure, workspace, abortSignal);
      return ensureModelVersion(azure, identity, model.name, contentOf(model, source, store), abortSignal);
    }),

    findLatestModel: activity(({ identity, name }, { abortSignal }) =>
      findRegistered(azure, identity, { kind: 'registered', name, version: 'latest' }, abortSignal),
    ),

    removeRegisteredModel: activity((input, attempt) => removeModels(azure, input, 'source', attempt)),
  };
}

function contentOf(
  { description, tags, properties }: ModelInput,
  source: Extract<ModelSource, { kind: 'uploaded' }>,
  store: BlobStore,
) {
  return { digest: source.digest, url: store.uri(source.path), description, tags, properties };
}

/**
 * The version that `model.source` names.
 *
 * @throws SlipwayError `ModelNotFound`
 */
export async function findRegistered(
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
  } = await getModelVersion(azure, identity, name, wanted, abortSignal).catch((error: unknown) => {
    throw isNotFound(error) ? modelNotFound(`${name} version ${wanted}`) : error;
  });
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
  throw modelNotFound(name);
}

function modelNotFound(what: string): SlipwayError {
  return new SlipwayError('ModelNotFound', `The workspace has no model ${what}`, {
    fix: 'Correct model.source, or give model.path to deploy a SavedModel of yours.',
  });
}
