import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import pLimit from 'p-limit';
import { blobSizes, downloadBlob, parseDatastoreUri, type BlobStore } from '../azure/blobs.js';
import { PARALLEL_TRANSFERS } from '../azure/limits.js';
import { type OnTransfer, TransferTally } from '../azure/transfer.js';
import { readFileDigest } from '../azure/uploads.js';
import type { ModelVersion } from '../deployment/activities.js';
import { CONVERTED_MANIFEST, ConvertedModelManifest, filesOf } from '../deployment/converted-model.js';
import { SlipwayError } from '../deployment/errors.js';

export interface FetchOptions {
  readonly abortSignal: AbortSignal;
  readonly onTransfer?: OnTransfer;
}

/**
 * Brings a converted model onto this machine: the files that its manifest names, each checked against the digest there, and
 * nothing else. A model that is here already is not fetched again.
 *
 * @param cache directory that keeps models by their digests
 * @returns the directory that holds the model
 * @throws SlipwayError `ConvertedModelDamaged` when a file is missing or is not what the manifest says
 */
export async function fetchConvertedModel(
  store: BlobStore,
  converted: Pick<ModelVersion, 'url' | 'digest'>,
  cache: string,
  options: FetchOptions,
): Promise<string> {
  const directory = path.join(cache, converted.digest.replace('sha256:', ''));
  // Models appear in the cache by a rename, whole.
  if (await exists(directory)) return directory;
  const unfinished = path.join(cache, `.${randomUUID()}`);
  try {
    await fetchFiles(store, converted, unfinished, options);
    await rename(unfinished, directory).catch(async (error: unknown) => {
      // Another worker of this machine was quicker.
      if (!(await exists(directory))) throw error;
    });
    return directory;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

async function fetchFiles(
  store: BlobStore,
  { url, digest }: Pick<ModelVersion, 'url' | 'digest'>,
  directory: string,
  { abortSignal, onTransfer }: FetchOptions,
): Promise<void> {
  const prefix = parseDatastoreUri(url).path;
  const fetchFile = async (file: string, expected: string, moved?: (bytes: number) => void): Promise<string> => {
    const target = placeIn(directory, file);
    await mkdir(path.dirname(target), { recursive: true });
    const there = await downloadBlob(store, `${prefix}/${file}`, target, { abortSignal, moved });
    if (there && (await readFileDigest(target)).digest === expected) return target;
    const what = there ? 'is not what the manifest says' : 'is missing';
    throw new SlipwayError('ConvertedModelDamaged', `${file} of the converted model ${what}`, {
      fix: 'Remove the conversion from the cache and deploy again.',
    });
  };
  const manifest = await readFile(await fetchFile(CONVERTED_MANIFEST, digest), 'utf8');
  const files = filesOf(ConvertedModelManifest.parse(JSON.parse(manifest)));
  const sizes = await blobSizes(store, prefix, abortSignal);
  const tally = new TransferTally(
    [...files.keys()].map((file) => sizes.get(file) ?? 0),
    onTransfer,
  );
  const limit = pLimit(PARALLEL_TRANSFERS);
  // Every download ends before a failure is thrown: the directory is removed then, and nothing may write into it any more.
  const fetched = await Promise.allSettled(
    [...files].map(([file, expected]) => limit(() => fetchFile(file, expected, tally.begin()))),
  );
  for (const each of fetched) if (each.status === 'rejected') throw each.reason;
}

function placeIn(directory: string, file: string): string {
  const target = path.resolve(directory, file);
  if (target.startsWith(path.resolve(directory) + path.sep)) return target;
  throw new SlipwayError('ConvertedModelInvalid', `The manifest names ${file}, which lies outside of the model`);
}

async function exists(directory: string): Promise<boolean> {
  return stat(directory).then(
    () => true,
    () => false,
  );
}
