import { openBlobStore, type BlobStore } from '../azure/blobs.js';
import type { AzureConnection } from '../azure/connection.js';
import { ensureModelContainer, getModelContainer, type ModelContainer } from '../azure/model-containers.js';
import { ensureModelVersion, getModelVersion, listModelVersions } from '../azure/models.js';
import type { DeploymentActivities, ModelVersion } from '../deployment/activities.js';
import { SlipwayError } from '../deployment/errors.js';
import type { ModelInput, ModelSource } from '../deployment/input.js';
import { CLUSTER_TAG, isOfService, OWNER_TAG, type Identity } from '../deployment/names.js';
import { activity } from './failure.js';
import { removeModels } from './remove-models.js';

type Activities = Pick<DeploymentActivities, 'registerModel' | 'removeRegisteredModel'>;

/** The register step: the source model as a version in the workspace. */
export function createModelActivities(azure: AzureConnection): Activities {
  return {
    registerModel: activity(async (input, { abortSignal }) => {
      const { identity, workspace, model } = input;
      const { source } = model;
      const existing = await getModelContainer(azure, identity, model.name, abortSignal);
      const cluster = clusterId(identity, input.cluster.name);
      requireSameCluster(identity, existing, cluster);
      const container = { name: model.name, role: 'source' as const, tags: { [CLUSTER_TAG]: cluster } };
      if (source.kind === 'registered') {
        const found = await findRegistered(azure, identity, source, abortSignal);
        // The container says where the service runs; one of that name that is not ours stays as it is.
        if (!existing || isOfService(existing.tags[OWNER_TAG], identity)) {
          await ensureModelContainer(azure, identity, container, abortSignal);
        }
        return found;
      }
      await ensureModelContainer(azure, identity, container, abortSignal);
      const store = await openBlobStore(azure, workspace, abortSignal);
      return ensureModelVersion(azure, identity, model.name, contentOf(model, source, store), abortSignal);
    }),

    removeRegisteredModel: activity((input, attempt) => removeModels(azure, input, 'source', attempt)),
  };
}

/** A service lives on one cluster: what runs on the one before would be found by nobody once the tag names another. */
function requireSameCluster(identity: Identity, container: ModelContainer | undefined, cluster: string): void {
  const present = container?.tags[CLUSTER_TAG];
  if (present === undefined || present.toLowerCase() === cluster.toLowerCase()) return;
  if (!isOfService(container?.tags[OWNER_TAG], identity)) return;
  throw new SlipwayError('ServiceOnOtherCluster', `Service ${identity.service} lives on cluster ${present}`, {
    fix: `Deploy it there, or delete it first: slipway delete ${identity.service}`,
  });
}

/** ARM id of the cluster, which lies in the resource group of the workspace and may not exist yet. */
function clusterId({ subscriptionId, resourceGroup }: Identity, name: string): string {
  return `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.ContainerService/managedClusters/${name}`;
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
