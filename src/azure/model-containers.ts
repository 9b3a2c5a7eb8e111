import { FailureType, SlipwayError } from '../deployment/errors.js';
import { isOfService, OWNER_TAG, ownershipMark, SERVICE_TAG, type Identity } from '../deployment/names.js';
import type { AzureConnection } from './connection.js';
import { ignoreNotFound, isNotFound } from './failures.js';
import { inWorkspace, type WorkspacePlace } from './workspace.js';

/** Tags as Azure keeps them, without the ones that were set to null. */
export type Tags = Readonly<Record<string, string>>;

/** Tag on the containers that Slipway creates: which kind of model its versions are. */
export const ROLE_TAG = 'slipway-role';
/** Values of {@link ROLE_TAG}: the model as the user gave it, and what the conversion made of it. */
export type ModelRole = 'source' | 'converted';

/** The named collection that the versions of a model lie in. */
export interface ModelContainer {
  readonly name: string;
  readonly tags: Tags;
  /** Azure's count goes on after deletes. */
  readonly nextVersion: number;
}

/** Reads a container; undefined when there is none. */
export async function getModelContainer(
  azure: AzureConnection,
  identity: Identity,
  name: string,
  abortSignal: AbortSignal,
): Promise<ModelContainer | undefined> {
  try {
    const { client, place } = inWorkspace(azure, identity);
    const { properties } = await client.modelContainers.get(...place, name, { abortSignal });
    return { name, tags: definedTags(properties.tags), nextVersion: Number(properties.nextVersion ?? 1) || 1 };
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/**
 * Checks that a container is the service's, or not there.
 *
 * @throws SlipwayError `NameConflict`: versions of two services in one container would be removed and counted by two masters
 */
export function requireOwnContainer(existing: ModelContainer | undefined, identity: Identity): void {
  const owner = existing?.tags[OWNER_TAG];
  if (existing === undefined || isOfService(owner, identity)) return;
  const whose = owner === undefined ? 'was not made by Slipway' : `belongs to another service (${owner})`;
  throw new SlipwayError(FailureType.NameConflict, `The workspace has a model ${existing.name} that ${whose}`, {
    fix: 'Choose another model.name, or deploy that model itself with model.source.',
  });
}

/** The containers of a service, archived ones included, whichever of its deployments made them. */
export async function findModelContainers(
  azure: AzureConnection,
  identity: Identity,
  abortSignal: AbortSignal,
): Promise<ModelContainer[]> {
  const containers = await listModelContainers(azure, identity, abortSignal);
  return containers.filter(({ tags }) => isOfService(tags[OWNER_TAG], identity));
}

/** Every container of the workspace, archived ones included, whoever made it. */
export async function listModelContainers(
  azure: AzureConnection,
  workspace: WorkspacePlace,
  abortSignal: AbortSignal,
): Promise<ModelContainer[]> {
  const { client, place } = inWorkspace(azure, workspace);
  const found: ModelContainer[] = [];
  for await (const { name, properties } of client.modelContainers.list(...place, {
    listViewType: 'All',
    abortSignal,
  })) {
    const tags = definedTags(properties.tags);
    if (name) found.push({ name, tags, nextVersion: Number(properties.nextVersion ?? 1) || 1 });
  }
  return found;
}

/**
 * Makes the container with the service's mark, unless it is there. One that another service or nobody marked is never
 * touched.
 *
 * @param tags further tags; written again when one of them has another value
 * @throws SlipwayError `NameConflict`
 */
export async function ensureModelContainer(
  azure: AzureConnection,
  identity: Identity,
  container: { name: string; role: ModelRole; tags?: Tags },
  abortSignal: AbortSignal,
): Promise<void> {
  const existing = await getModelContainer(azure, identity, container.name, abortSignal);
  requireOwnContainer(existing, identity);
  const wanted: Tags = {
    [OWNER_TAG]: existing?.tags[OWNER_TAG] ?? ownershipMark(identity),
    [SERVICE_TAG]: identity.service,
    [ROLE_TAG]: container.role,
    ...container.tags,
  };
  if (existing && Object.entries(wanted).every(([tag, value]) => existing.tags[tag] === value)) return;
  const { client, place } = inWorkspace(azure, identity);
  const properties = { tags: { ...existing?.tags, ...wanted } };
  await client.modelContainers.createOrUpdate(...place, container.name, { properties }, { abortSignal });
}

/** Deletes a container, which must be empty; one that is not there is deleted. */
export async function deleteModelContainer(
  azure: AzureConnection,
  identity: Identity,
  name: string,
  abortSignal: AbortSignal,
): Promise<void> {
  const { client, place } = inWorkspace(azure, identity);
  await client.modelContainers.delete(...place, name, { abortSignal }).catch(ignoreNotFound);
}

/** Tags or properties without those that are null. */
export function definedTags(tags: Record<string, string | null> | null | undefined): Tags {
  return Object.fromEntries(Object.entries(tags ?? {}).filter((tag): tag is [string, string] => tag[1] !== null));
}
