import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import type { ContainerRegistryContentClient, ContainerRepository } from '@azure/container-registry';
import { SlipwayError } from '../deployment/errors.js';
import type { AzureConnection } from './connection.js';
import { ignoreNotFound, isNotFound } from './failures.js';
import { type OnTransfer, TransferTally } from './transfer.js';
import { parseResourceId } from './workspace.js';

/** One repository of a registry. */
export interface RegistryRepository {
  readonly name: string;
  readonly content: ContainerRegistryContentClient;
  readonly artifacts: ContainerRepository;
}

/** A blob to push: a layer that lies in a file, or a small document. */
export interface PushBlob {
  readonly digest: string;
  readonly size: number;
  readonly source: { readonly file: string } | { readonly content: Buffer };
}

/** An image to push: its blobs first, then the manifest under each tag, in order. */
export interface PushImage {
  readonly blobs: readonly PushBlob[];
  readonly manifest: { readonly content: Buffer; readonly mediaType: string; readonly digest: string };
  readonly tags: readonly string[];
}

/** A manifest of a repository with the tags that point to it. */
export interface TaggedManifest {
  readonly digest: string;
  readonly tags: readonly string[];
  readonly createdOn: Date;
  /** Of everything that the image needs. */
  readonly bytes: number | undefined;
}

/** The address of a registry, as the registry itself gives it. */
export async function getLoginServer(
  azure: AzureConnection,
  registryId: string,
  abortSignal: AbortSignal,
): Promise<string> {
  const { subscriptionId, resourceGroup, name } = parseResourceId(registryId);
  const found = await azure.containerRegistry(subscriptionId).registries.get(resourceGroup, name, { abortSignal });
  if (found.loginServer) return found.loginServer;
  throw new SlipwayError('RegistryWithoutAddress', `Container registry ${name} has no login server`);
}

/** Opens a repository; it need not exist yet. */
export async function openRepository(
  azure: AzureConnection,
  registryId: string,
  name: string,
  abortSignal: AbortSignal,
): Promise<RegistryRepository> {
  return repositoryAt(azure, await getLoginServer(azure, registryId, abortSignal), name);
}

/** The repository of a registry whose address is known; see {@link getLoginServer}. */
export function repositoryAt(azure: AzureConnection, loginServer: string, name: string): RegistryRepository {
  return {
    name,
    content: azure.registryContent(loginServer, name),
    artifacts: azure.registry(loginServer).getRepository(name),
  };
}

/**
 * Pushes an image: what the registry has already, blob or tag, is not sent again; `onTransfer` hears of its blobs.
 *
 * @returns digests of the blobs that were sent
 */
export async function pushImage(
  repository: RegistryRepository,
  image: PushImage,
  { abortSignal, onTransfer }: { abortSignal: AbortSignal; onTransfer?: OnTransfer },
): Promise<ReadonlySet<string>> {
  const { manifest } = image;
  const missing: string[] = [];
  const sent = new Set<string>();
  for (const tag of image.tags) {
    if ((await findDigest(repository, tag, abortSignal)) !== manifest.digest) missing.push(tag);
  }
  // A registry refuses a manifest whose blobs it lacks: under any tag, the manifest proves that all of them are there.
  if (missing.length === image.tags.length) {
    const tally = new TransferTally(
      image.blobs.map(({ size }) => size),
      onTransfer,
    );
    for (const blob of image.blobs) {
      if (await pushBlob(repository, blob, tally, abortSignal)) sent.add(blob.digest);
    }
  }
  for (const tag of missing) {
    await repository.content.setManifest(manifest.content, { tag, mediaType: manifest.mediaType, abortSignal });
  }
  return sent;
}

async function pushBlob(
  { content }: RegistryRepository,
  { digest, size, source }: PushBlob,
  tally: TransferTally,
  abortSignal: AbortSignal,
): Promise<boolean> {
  if (await hasBlob(content, digest, abortSignal)) {
    tally.skip(size);
    return false;
  }
  const moved = tally.begin();
  if ('content' in source) {
    await content.uploadBlob(source.content, { abortSignal });
    moved(size);
    return true;
  }
  const file = createReadStream(source.file);
  try {
    await content.uploadBlob(Readable.from(counted(file, moved), { objectMode: false }), { abortSignal });
  } finally {
    file.destroy();
  }
  return true;
}

/** Hands a stream on. The client, which takes it in chunks, does not tell how far it is: a piece counts when more is asked for. */
async function* counted(source: AsyncIterable<Buffer>, moved: (bytes: number) => void): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const piece of source) {
    yield piece;
    moved((bytes += piece.length));
  }
}

/** The client offers no HEAD of a blob: its download is begun, and dropped once the registry has said that it has it. */
async function hasBlob(
  content: ContainerRegistryContentClient,
  digest: string,
  abortSignal: AbortSignal,
): Promise<boolean> {
  const drop = new AbortController();
  try {
    const download = await content.downloadBlob(digest, { abortSignal: AbortSignal.any([abortSignal, drop.signal]) });
    download.content.on('error', () => undefined);
    drop.abort();
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** Digest of the manifest under a tag; undefined when there is none. */
export async function findDigest(
  { content }: RegistryRepository,
  tag: string,
  abortSignal: AbortSignal,
): Promise<string | undefined> {
  try {
    return (await content.getManifest(tag, { abortSignal })).digest;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Every manifest of a repository with its tags; none when there is no such repository. */
export async function listManifests(
  { artifacts }: RegistryRepository,
  abortSignal: AbortSignal,
): Promise<TaggedManifest[]> {
  const manifests: TaggedManifest[] = [];
  try {
    for await (const found of artifacts.listManifestProperties({ abortSignal })) {
      const { digest, tags, createdOn, sizeInBytes: bytes } = found;
      manifests.push({ digest, tags, createdOn, bytes });
    }
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  return manifests;
}

/** Deletes a manifest with all its tags; one that is not there is deleted. */
export async function deleteManifest(
  { artifacts }: RegistryRepository,
  digest: string,
  abortSignal: AbortSignal,
): Promise<void> {
  await artifacts.getArtifact(digest).delete({ abortSignal }).catch(ignoreNotFound);
}

/** Deletes a tag and leaves what it points to; one that is not there is deleted. */
export async function deleteTag(
  { artifacts }: RegistryRepository,
  tag: string,
  abortSignal: AbortSignal,
): Promise<void> {
  await artifacts.getArtifact(tag).deleteTag(tag, { abortSignal }).catch(ignoreNotFound);
}

/** Deletes a repository and everything in it; one that is not there is deleted. */
export async function deleteRepository({ artifacts }: RegistryRepository, abortSignal: AbortSignal): Promise<void> {
  await artifacts.delete({ abortSignal }).catch(ignoreNotFound);
}
