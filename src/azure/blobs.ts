import type { ContainerClient } from '@azure/storage-blob';
import type { Workspace } from '../deployment/activities.js';
import type { Digest } from '../deployment/digests.js';
import { SlipwayError } from '../deployment/errors.js';
import type { Identity } from '../deployment/names.js';
import type { AzureConnection } from './connection.js';
import { isNotFound } from './failures.js';
import { parseResourceId } from './workspace.js';

/** The datastore that every workspace is created with. */
export const DEFAULT_DATASTORE = 'workspaceblobstore';

/** Prefix of everything that Slipway keeps in the container: all of it is cache, named by its content. */
const PREFIX = 'slipway';

/** The container of a datastore, with the two ways of writing an address in it. */
export interface BlobStore {
  readonly container: ContainerClient;
  /** The `azureml://` address that Azure ML's models and jobs take. */
  uri(path: string): string;
}

/** A place in a datastore. */
export interface BlobPlace {
  readonly datastore: string;
  /** Path in the container, without a slash at either end. */
  readonly path: string;
}

const hex = (digest: Digest) => digest.replace(/^sha256:/, '');

/** Where things lie in the default datastore, by their digests. */
export const blobPath = {
  model: (digest: Digest) => `${PREFIX}/models/${hex(digest)}`,
  photo: (digest: Digest) => `${PREFIX}/photos/${hex(digest)}.jpg`,
  /** A set of photos as a folder, which is what a job takes. */
  photoSet: (digest: Digest) => `${PREFIX}/photos/${hex(digest)}`,
  code: (digest: Digest) => `${PREFIX}/code/${hex(digest)}`,
  conversion: (digest: Digest) => `${PREFIX}/conversions/${hex(digest)}`,
  /** How an image came to be. Repositories have logs of their own: what was sent differs between them. */
  buildLog: (image: Digest, { uid }: Pick<Identity, 'uid'>) => `${PREFIX}/build-logs/${hex(image)}/${uid}.log`,
};

/** Opens a datastore of the workspace; its address is what the storage account itself says. */
export async function openBlobStore(
  azure: AzureConnection,
  workspace: Workspace,
  abortSignal: AbortSignal,
  datastore = DEFAULT_DATASTORE,
): Promise<BlobStore> {
  const { subscriptionId, resourceGroup, name } = workspace;
  const [container, endpoint] = await Promise.all([
    containerOf(azure, workspace, datastore, abortSignal),
    blobEndpoint(azure, workspace.storageAccountId, abortSignal),
  ]);
  const base = `azureml://subscriptions/${subscriptionId}/resourcegroups/${resourceGroup}/workspaces/${name}/datastores/${datastore}/paths`;
  return { container: azure.blobs(endpoint).getContainerClient(container), uri: (path) => `${base}/${path}` };
}

async function containerOf(
  azure: AzureConnection,
  { subscriptionId, resourceGroup, name }: Workspace,
  datastore: string,
  abortSignal: AbortSignal,
): Promise<string> {
  const client = azure.machineLearning(subscriptionId);
  const { properties } = await client.datastores.get(resourceGroup, name, datastore, { abortSignal });
  if (properties.datastoreType === 'AzureBlob' && 'containerName' in properties && properties.containerName) {
    return properties.containerName;
  }
  throw new SlipwayError(
    'UnsupportedDatastore',
    `Datastore ${datastore} is ${properties.datastoreType}, not AzureBlob`,
  );
}

async function blobEndpoint(azure: AzureConnection, accountId: string, abortSignal: AbortSignal): Promise<string> {
  const { subscriptionId, resourceGroup, name } = parseResourceId(accountId);
  const account = await azure
    .storage(subscriptionId)
    .storageAccounts.getProperties(resourceGroup, name, { abortSignal });
  if (account.primaryEndpoints?.blob) return account.primaryEndpoints.blob;
  throw new SlipwayError('StorageWithoutBlobs', `Storage account ${name} has no blob endpoint`);
}

/**
 * Reads the `azureml://` address of a model or output, in its long form (with subscription and workspace) or its short one.
 *
 * @throws SlipwayError `UnsupportedAddress` for an address that is not in a datastore
 */
export function parseDatastoreUri(uri: string): BlobPlace {
  const match = /^azureml:\/\/(?:subscriptions\/.*\/)?datastores\/([^/]+)\/(?:paths\/)?(.*?)\/*$/i.exec(uri);
  const [, datastore, path] = match ?? [];
  if (!datastore || !path) throw new SlipwayError('UnsupportedAddress', `${uri} is not an address in a datastore`);
  return { datastore, path };
}

/** The plain address of a blob, for whoever has a right to read it; undefined when there is none. */
export async function findBlobUrl(
  { container }: BlobStore,
  path: string,
  abortSignal: AbortSignal,
): Promise<string | undefined> {
  const blob = container.getBlobClient(path);
  return (await blob.exists({ abortSignal })) ? blob.url : undefined;
}

/** Reads a small blob; undefined when there is none. */
export async function readBlob(
  { container }: BlobStore,
  path: string,
  abortSignal: AbortSignal,
): Promise<Buffer | undefined> {
  try {
    return await container.getBlobClient(path).downloadToBuffer(0, undefined, { abortSignal });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Sizes in bytes of the blobs below a path, by their path below it. */
export async function blobSizes(
  { container }: BlobStore,
  path: string,
  abortSignal: AbortSignal,
): Promise<Map<string, number>> {
  const prefix = `${path}/`;
  const sizes = new Map<string, number>();
  for await (const { name, properties } of container.listBlobsFlat({ prefix, abortSignal })) {
    sizes.set(name.slice(prefix.length), properties.contentLength ?? 0);
  }
  return sizes;
}

/**
 * Writes a blob of any size to a file; false when there is none.
 *
 * @param moved told how many of its bytes are here
 */
export async function downloadBlob(
  { container }: BlobStore,
  path: string,
  file: string,
  { abortSignal, moved }: { abortSignal: AbortSignal; moved?: ((bytes: number) => void) | undefined },
): Promise<boolean> {
  try {
    const onProgress = moved && { onProgress: ({ loadedBytes }: { loadedBytes: number }) => moved(loadedBytes) };
    await container.getBlobClient(path).downloadToFile(file, 0, undefined, { abortSignal, ...onProgress });
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** Reads at most the last `bytes` of a blob; undefined when there is none or it is empty. */
export async function readBlobEnd(
  { container }: BlobStore,
  path: string,
  bytes: number,
  abortSignal: AbortSignal,
): Promise<Buffer | undefined> {
  const blob = container.getBlobClient(path);
  try {
    const { contentLength = 0 } = await blob.getProperties({ abortSignal });
    if (contentLength === 0) return undefined;
    const offset = Math.max(0, contentLength - bytes);
    return await blob.downloadToBuffer(offset, contentLength - offset, { abortSignal });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
