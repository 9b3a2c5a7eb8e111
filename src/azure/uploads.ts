import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { BlockBlobClient, BlockBlobParallelUploadOptions } from '@azure/storage-blob';
import pLimit from 'p-limit';
import { digestOf, digestOfTree, type Digest } from '../deployment/digests.js';
import { SlipwayError } from '../deployment/errors.js';
import type { CalibrationPhotos, ModelSource } from '../deployment/input.js';
import { blobPath, type BlobStore } from './blobs.js';
import { isConflict, isNotFound } from './failures.js';
import { PARALLEL_TRANSFERS } from './limits.js';
import type { TransferTally } from './transfer.js';

/** A file on this machine that is to lie in the blob store. */
export interface LocalFile {
  readonly file: string;
  readonly bytes: number;
  readonly digest: Digest;
}

/** The files of a directory by their POSIX path in it, and the digest of the whole. */
export interface LocalTree {
  readonly files: ReadonlyMap<string, LocalFile>;
  readonly digest: Digest;
  readonly bytes: number;
}

export interface UploadOptions {
  readonly abortSignal?: AbortSignal;
  /** What is sent is added to it. */
  readonly tally?: TransferTally;
}

/**
 * Reads a directory and its digests.
 *
 * @param keep which files count, by their path in the directory; all by default
 * @throws SlipwayError `EmptyDirectory` when no file is left
 */
export async function readTree(directory: string, keep: (path: string) => boolean = () => true): Promise<LocalTree> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const limit = pLimit(PARALLEL_TRANSFERS);
  const found = await Promise.all(
    entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
      .map((file) => ({ file, name: path.relative(directory, file).split(path.sep).join('/') }))
      .filter(({ name }) => keep(name))
      .map(({ file, name }) => limit(async () => [name, await readFileDigest(file)] as const)),
  );
  if (found.length === 0) throw new SlipwayError('EmptyDirectory', `${directory} holds no file`);
  const files = new Map(found);
  const digest = digestOfTree(new Map(found.map(([name, local]) => [name, local.digest])));
  return { files, digest, bytes: found.reduce((sum, [, { bytes }]) => sum + bytes, 0) };
}

/** Size and digest of a file. */
export async function readFileDigest(file: string): Promise<LocalFile> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  const { size } = await stat(file);
  return { file, bytes: size, digest: `sha256:${hash.digest('hex')}` };
}

/** Brings a directory under its digest into the store; files that are there already are not sent again. */
export async function uploadTree(
  store: BlobStore,
  prefix: string,
  tree: LocalTree,
  options: UploadOptions = {},
): Promise<void> {
  const limit = pLimit(PARALLEL_TRANSFERS);
  const sendings = [...tree.files].map(([name, { file, bytes }]) =>
    limit(() =>
      ensureBlob(store, `${prefix}/${name}`, bytes, options, (blob, sending) => blob.uploadFile(file, sending)),
    ),
  );
  await Promise.all(sendings);
}

/** Uploads the directory of a SavedModel and says where it is: the source of a deployment. */
export async function uploadModel(
  store: BlobStore,
  tree: LocalTree,
  options: UploadOptions = {},
): Promise<Extract<ModelSource, { kind: 'uploaded' }>> {
  const prefix = blobPath.model(tree.digest);
  await uploadTree(store, prefix, tree, options);
  return { kind: 'uploaded', path: prefix, digest: tree.digest, bytes: tree.bytes };
}

/** Uploads photos as a folder that a job can read, and says where it is. */
export async function uploadCalibration(
  store: BlobStore,
  photos: LocalTree,
  options: UploadOptions = {},
): Promise<CalibrationPhotos> {
  await uploadTree(store, blobPath.photoSet(photos.digest), photos, options);
  return { digest: photos.digest, count: photos.files.size };
}

/** Uploads a photo under its digest, unless it is there. */
export async function uploadPhoto(store: BlobStore, photo: Buffer, options: UploadOptions = {}): Promise<Digest> {
  const digest = digestOf(photo);
  await uploadBlob(store, blobPath.photo(digest), photo, options);
  return digest;
}

/** Uploads bytes, unless a blob of that name and size is there: names hold digests. */
export async function uploadBlob(
  store: BlobStore,
  name: string,
  content: Buffer,
  options: UploadOptions = {},
): Promise<void> {
  await ensureBlob(store, name, content.length, options, (blob, sending) => blob.uploadData(content, sending));
}

/** Writes a text, unless there is a blob of that name, whatever is in it. */
export async function createText(
  store: BlobStore,
  name: string,
  text: string,
  abortSignal: AbortSignal,
): Promise<void> {
  const blob = store.container.getBlockBlobClient(name);
  if ((await blobSize(blob, { abortSignal })) !== undefined) return;
  try {
    await blob.uploadData(Buffer.from(text), {
      abortSignal,
      conditions: { ifNoneMatch: '*' },
      blobHTTPHeaders: { blobContentType: 'text/plain; charset=utf-8' },
    });
  } catch (error) {
    // Another attempt, or one whose reply was lost, was quicker.
    if (!isConflict(error)) throw error;
  }
}

/** How a block blob is sent: aborted by the signal, and telling how many bytes have gone. */
type Send = (blob: BlockBlobClient, options: BlockBlobParallelUploadOptions) => Promise<unknown>;

/** A block blob appears whole or not at all, and its name holds a digest: the size is a check of the name. */
async function ensureBlob(
  store: BlobStore,
  name: string,
  bytes: number,
  { abortSignal, tally }: UploadOptions,
  send: Send,
): Promise<void> {
  const blob = store.container.getBlockBlobClient(name);
  const abort = abortSignal ? { abortSignal } : {};
  if ((await blobSize(blob, abort)) === bytes) {
    tally?.skip(bytes);
    return;
  }
  const moved = tally?.begin();
  await send(blob, { ...abort, onProgress: ({ loadedBytes }) => moved?.(loadedBytes) });
  moved?.(bytes);
}

async function blobSize(blob: BlockBlobClient, abort: { abortSignal?: AbortSignal }): Promise<number | undefined> {
  try {
    return (await blob.getProperties(abort)).contentLength;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
