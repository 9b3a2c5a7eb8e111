import { mkdir, readdir, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import type { ContainerClient } from '@azure/storage-blob';
import pLimit from 'p-limit';
import { resourceKey } from '../../arm/resource-id.js';
import type { Emulator } from '../../core/emulator.js';
import type { BlobStore } from '../../storage/blob-store.js';
import type { AssetVersion } from '../asset-store.js';
import { datastoreContainers } from '../datastores.js';
import { concurrentTransfers } from '../limits.js';
import { storageAccountOf, type Workspace } from '../workspaces.js';
import { JobFailure } from './job.js';

/** A folder or file of a blob container. */
export interface BlobLocation {
  account: string;
  container: string;
  /** Without a slash at either end. */
  path: string;
}

/**
 * Finds what a URI of an input, output or code asset means: `azureml://[…]datastores/NAME/paths/PATH`, `azureml:MODEL:VERSION` or a
 * model version's id, or the https address of a blob. Throws {@link JobFailure} for all else.
 */
export function locate(emulator: Emulator, blobs: BlobStore, workspace: Workspace, uri: string): BlobLocation {
  const [, datastore, path] = /^azureml:\/\/(?:.*\/)?datastores\/([^/]+)\/paths\/(.*)$/i.exec(uri) ?? [];
  if (datastore !== undefined && path !== undefined) {
    const container = datastoreContainers(workspace)[datastore.toLowerCase()];
    if (container === undefined) throw new JobFailure('UserError', `There is no datastore ${datastore}.`);
    return { account: storageAccountOf(workspace), container, path: folderOf(path) };
  }
  const modelUri = modelVersion(emulator, workspace, uri)?.properties.modelUri;
  if (typeof modelUri === 'string') return locate(emulator, blobs, workspace, modelUri);
  const account = storageAccountOf(workspace);
  const endpoint = blobs.endpoint(account);
  if (uri.startsWith(endpoint)) {
    const [container = '', ...rest] = new URL(uri).pathname.slice(new URL(endpoint).pathname.length).split('/');
    return { account, container, path: folderOf(rest.join('/')) };
  }
  throw new JobFailure(
    'UserError',
    `The URI '${uri}' is not of a form that is emulated, or what it names does not exist.`,
  );
}

function modelVersion(emulator: Emulator, workspace: Workspace, uri: string): AssetVersion | undefined {
  const [, name, version] =
    /^azureml:([^:/]+):([^:/]+)$/.exec(uri) ?? /\/models\/([^/]+)\/versions\/([^/]+)$/i.exec(uri) ?? [];
  if (name === undefined || version === undefined) return undefined;
  const id = resourceKey(`${workspace.id}/models/${name}/versions/${version}`);
  return emulator.documents.collection<AssetVersion>('ml-models-versions').get(id);
}

function folderOf(encoded: string): string {
  const path = decodeURIComponent(encoded).replace(/^\/+|\/+$/g, '');
  if (!path.split('/').includes('..')) return path;
  throw new JobFailure('UserError', `The path '${path}' leads out of its folder.`);
}

/** Downloads a folder, or one file into a folder, and returns the path of what was asked for. */
export async function download(
  blobs: BlobStore,
  { account, container, path }: BlobLocation,
  directory: string,
  signal: AbortSignal,
): Promise<string> {
  const client = (await blobs.client(account)).getContainerClient(container);
  if (path !== '' && (await client.getBlobClient(path).exists())) {
    const file = fileBelow(directory, path.slice(path.lastIndexOf('/') + 1));
    await downloadBlob(client, path, file, signal);
    return file;
  }
  const names: string[] = [];
  const prefix = path === '' ? '' : `${path}/`;
  for await (const blob of client.listBlobsFlat({ prefix, abortSignal: signal })) names.push(blob.name);
  if (names.length === 0) {
    throw new JobFailure('UserError', `Cannot mount: the path '${path}' of container ${container} does not exist.`);
  }
  const limit = pLimit(concurrentTransfers);
  const files = names.map((name) => [name, fileBelow(directory, name.slice(prefix.length))] as const);
  await Promise.all(files.map(([name, file]) => limit(() => downloadBlob(client, name, file, signal))));
  return directory;
}

/** Where a blob of that name goes. Throws {@link JobFailure} for a name that leads out of the directory. */
export function fileBelow(directory: string, name: string): string {
  const file = join(directory, name);
  if (file.startsWith(`${directory}${sep}`) && !name.includes('\0')) return file;
  throw new JobFailure('UserError', `The blob '${name}' has a name that leads out of its folder.`);
}

async function downloadBlob(client: ContainerClient, name: string, file: string, signal: AbortSignal): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await client.getBlobClient(name).downloadToFile(file, undefined, undefined, { abortSignal: signal });
}

/**
 * Uploads a folder one file after the other, oldest first: what a command wrote last to mark its result as complete comes last here too,
 * as it would through a mount.
 */
export async function upload(
  blobs: BlobStore,
  directory: string,
  { account, container, path }: BlobLocation,
  signal: AbortSignal,
): Promise<void> {
  const client = (await blobs.client(account)).getContainerClient(container);
  const found = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = await Promise.all(
    found
      .filter((entry) => entry.isFile())
      .map(async (entry) => {
        const file = join(entry.parentPath ?? entry.path, entry.name);
        return { file, mtime: (await stat(file)).mtimeMs };
      }),
  );
  files.sort((a, b) => a.mtime - b.mtime || (a.file < b.file ? -1 : 1));
  for (const { file } of files) {
    await client
      .getBlockBlobClient(`${path}/${relative(directory, file)}`)
      .uploadFile(file, { abortSignal: signal, concurrency: concurrentTransfers });
  }
}
