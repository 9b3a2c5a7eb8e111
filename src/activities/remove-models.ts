import type { AzureConnection } from '../azure/connection.js';
import {
  deleteModelContainer,
  findModelContainers,
  getModelContainer,
  ROLE_TAG,
  type ModelContainer,
  type ModelRole,
} from '../azure/model-containers.js';
import { deleteModelVersion, listModelVersions } from '../azure/models.js';
import type { Removal, RemovalInput } from '../deployment/activities.js';
import { convertedModelName, OWNER_TAG } from '../deployment/names.js';
import { stillPresent, type Attempt } from './failure.js';
import { isInScope, removedSoFar, requireAbsence } from './removal.js';

/**
 * Deletes the versions of source or converted models whose mark is in scope, and the container when it is in scope itself
 * and nobody's version is left in it. Archived versions of ours go too.
 */
export async function removeModels(
  azure: AzureConnection,
  input: RemovalInput,
  role: ModelRole,
  attempt: Attempt,
): Promise<Removal> {
  for (const container of await containersOf(azure, input, role, attempt.abortSignal)) {
    await removeVersions(azure, input, container, attempt);
  }
  requireAbsence(input, `the ${role} model`, attempt);
  return { removed: removedSoFar() };
}

/** The one that a deployment used; of a service, all that it has marked, because its deployments may have used several. */
async function containersOf(
  azure: AzureConnection,
  { identity, scope, modelName }: RemovalInput,
  role: ModelRole,
  abortSignal: AbortSignal,
): Promise<ModelContainer[]> {
  if (scope === 'deployment' && modelName !== undefined) {
    const name = role === 'source' ? modelName : convertedModelName(modelName);
    const container = await getModelContainer(azure, identity, name, abortSignal);
    return container ? [container] : [];
  }
  const containers = await findModelContainers(azure, identity, abortSignal);
  return containers.filter(({ tags }) => tags[ROLE_TAG] === role);
}

async function removeVersions(
  azure: AzureConnection,
  input: RemovalInput,
  { name, tags }: ModelContainer,
  attempt: Attempt,
): Promise<void> {
  const { identity } = input;
  const { abortSignal } = attempt;
  const isOurs = ({ owner }: { owner: string | undefined }) => isInScope(owner, input);
  const versions = await listModelVersions(azure, identity, name, abortSignal);
  for (const { version } of versions.filter(isOurs)) {
    await deleteModelVersion(azure, identity, name, version, abortSignal);
    removedSoFar([`${name}:${version}`]);
  }
  const left = await listModelVersions(azure, identity, name, abortSignal);
  if (left.some(isOurs)) throw stillPresent(`model ${name} is still being deleted`, attempt);
  if (left.length > 0 || !isInScope(tags[OWNER_TAG], input)) return;
  await deleteModelContainer(azure, identity, name, abortSignal);
}
