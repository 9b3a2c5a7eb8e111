import type { ModelVersion as MlModelVersion } from '@azure/arm-machinelearning';
import type { ModelVersion } from '../deployment/activities.js';
import { digestOf, type Digest } from '../deployment/digests.js';
import { FailureType, SlipwayError } from '../deployment/errors.js';
import {
  DIGEST_PROPERTY,
  isOfService,
  OWNER_TAG,
  ownershipMark,
  SERVICE_TAG,
  type Identity,
} from '../deployment/names.js';
import type { AzureConnection } from './connection.js';
import { ignoreNotFound, isConflict, isNotFound } from './failures.js';
import { VERSION_TRIES } from './limits.js';
import { definedTags, getModelContainer, type Tags } from './model-containers.js';
import { inWorkspace, type WorkspacePlace } from './workspace.js';

/** A version as it lies in the registry, with the mark of the deployment that made it. */
export interface RegisteredVersion extends ModelVersion {
  readonly owner: string | undefined;
  readonly archived: boolean;
}

/** A version with what people and programs wrote on it. */
export interface DescribedVersion extends RegisteredVersion {
  readonly description: string | undefined;
  readonly tags: Tags;
  readonly properties: Tags;
}

/** What a new version says of itself. */
export interface VersionContent {
  readonly digest: Digest;
  /** `azureml://` address of the directory. */
  readonly url: string;
  readonly description?: string | undefined;
  readonly tags?: Tags;
  readonly properties?: Tags;
}

/**
 * Registers content as the next version of a container of ours; the same content of the same service is the same version.
 * Azure has no create-only request for versions, so each is read back, and the next number is taken when it is not ours.
 */
export async function ensureModelVersion(
  azure: AzureConnection,
  identity: Identity,
  name: string,
  content: VersionContent,
  abortSignal: AbortSignal,
): Promise<ModelVersion> {
  for (let tries = 1; ; tries++) {
    const versions = await listModelVersions(azure, identity, name, abortSignal);
    const same = versions.find(
      ({ digest, owner, archived }) => digest === content.digest && !archived && isOfService(owner, identity),
    );
    if (same) return withoutOwner(same);
    const version = await nextVersion(azure, identity, name, versions, abortSignal);
    try {
      await putVersion(azure, identity, { name, version, content }, abortSignal);
    } catch (error) {
      // Someone took the number in between; the list shows whose it is.
      if (!isConflict(error) || tries >= VERSION_TRIES) throw error;
      continue;
    }
    const created = await getModelVersion(azure, identity, name, version, abortSignal);
    if (created.owner === ownershipMark(identity) && created.digest === content.digest) return withoutOwner(created);
    if (tries >= VERSION_TRIES) {
      throw new SlipwayError(FailureType.NameConflict, `Every next version of model ${name} was taken by someone else`);
    }
  }
}

async function nextVersion(
  azure: AzureConnection,
  identity: Identity,
  name: string,
  versions: readonly RegisteredVersion[],
  abortSignal: AbortSignal,
): Promise<string> {
  const container = await getModelContainer(azure, identity, name, abortSignal);
  const used = versions.map(({ version }) => Number(version)).filter(Number.isInteger);
  return String(Math.max(container?.nextVersion ?? 1, ...used.map((number) => number + 1)));
}

async function putVersion(
  azure: AzureConnection,
  identity: Identity,
  { name, version, content }: { name: string; version: string; content: VersionContent },
  abortSignal: AbortSignal,
): Promise<void> {
  const { client, place } = inWorkspace(azure, identity);
  const properties = {
    modelUri: content.url,
    modelType: 'custom_model',
    ...(content.description !== undefined && { description: content.description }),
    tags: { ...content.tags, [OWNER_TAG]: ownershipMark(identity), [SERVICE_TAG]: identity.service },
    properties: { ...content.properties, [DIGEST_PROPERTY]: content.digest },
  };
  await client.modelVersions.createOrUpdate(...place, name, version, { properties }, { abortSignal });
}

/** Every version of a container, archived ones included; none when there is no such container. */
export async function listModelVersions(
  azure: AzureConnection,
  identity: Identity,
  name: string,
  abortSignal: AbortSignal,
): Promise<RegisteredVersion[]> {
  return readVersions(azure, identity, name, toVersion, abortSignal);
}

/** As {@link listModelVersions}, with tags, properties and description. */
export async function describeModelVersions(
  azure: AzureConnection,
  workspace: WorkspacePlace,
  name: string,
  abortSignal: AbortSignal,
): Promise<DescribedVersion[]> {
  return readVersions(azure, workspace, name, toDescribed, abortSignal);
}

async function readVersions<T>(
  azure: AzureConnection,
  workspace: WorkspacePlace,
  name: string,
  read: (name: string, found: MlModelVersion) => T,
  abortSignal: AbortSignal,
): Promise<T[]> {
  const { client, place } = inWorkspace(azure, workspace);
  const versions: T[] = [];
  try {
    for await (const version of client.modelVersions.list(...place, name, { listViewType: 'All', abortSignal })) {
      versions.push(read(name, version));
    }
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  return versions;
}

/** Reads a version. Throws the service's 404 when there is none. */
export async function getModelVersion(
  azure: AzureConnection,
  identity: Identity,
  name: string,
  version: string,
  abortSignal: AbortSignal,
): Promise<RegisteredVersion> {
  const { client, place } = inWorkspace(azure, identity);
  return toVersion(name, await client.modelVersions.get(...place, name, version, { abortSignal }));
}

/** Deletes a version; one that is not there is deleted. */
export async function deleteModelVersion(
  azure: AzureConnection,
  identity: Identity,
  name: string,
  version: string,
  abortSignal: AbortSignal,
): Promise<void> {
  const { client, place } = inWorkspace(azure, identity);
  await client.modelVersions.delete(...place, name, version, { abortSignal }).catch(ignoreNotFound);
}

function toVersion(name: string, found: MlModelVersion): RegisteredVersion {
  const { properties, systemData, id = '', name: version = '' } = found;
  const digest = properties.properties?.[DIGEST_PROPERTY];
  return {
    name,
    version,
    id,
    url: properties.modelUri ?? '',
    createdAt: (systemData?.createdAt ?? new Date(0)).toISOString(),
    digest: isDigest(digest) ? digest : digestOf(id.toLowerCase()),
    owner: properties.tags?.[OWNER_TAG] ?? undefined,
    archived: properties.isArchived ?? false,
  };
}

function toDescribed(name: string, found: MlModelVersion): DescribedVersion {
  const { description, tags, properties } = found.properties;
  return {
    ...toVersion(name, found),
    description: description ?? undefined,
    tags: definedTags(tags),
    properties: definedTags(properties),
  };
}

function withoutOwner({ owner: _owner, archived: _archived, ...version }: RegisteredVersion): ModelVersion {
  return version;
}

function isDigest(text: string | null | undefined): text is Digest {
  return /^sha256:[0-9a-f]{64}$/.test(text ?? '');
}
