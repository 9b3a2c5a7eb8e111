import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';

import { z } from 'zod';

import type { Digest } from '../deployment/digests.js';
import { canonicalEntries, type LayerEntry } from './entries.js';
import { assembleLayer, type Layer } from './layer.js';

const digest = z.templateLiteral(['sha256:', z.string().regex(/^[0-9a-f]{64}$/)]);
const layerRecord = z.object({
  mediaType: z.string(),
  digest,
  size: z.number().int().nonnegative(),
  diffId: digest,
});

/**
 * The layer with the given members, assembled at most once for each content in `cacheDirectory`.
 *
 * The key is the content of every member and not its date: reading a file costs less than a wrong layer. Builders may run
 * at the same time, in one process or several, and may be killed: everything appears in the cache by a rename, blob first.
 *
 * @throws {ImageAssemblyError} for members that a layer cannot hold
 */
export async function cachedLayer(entries: readonly LayerEntry[], cacheDirectory: string): Promise<Layer> {
  const key = await contentKey(entries);
  const record = path.join(cacheDirectory, `${key}.json`);
  const cached = await readRecord(record, cacheDirectory);
  if (cached) return cached;

  await mkdir(cacheDirectory, { recursive: true });
  const unfinished = path.join(cacheDirectory, `.${key}.${randomUUID()}`);
  try {
    const { file, ...described } = await assembleLayer(entries, unfinished);
    const blob = blobFile(cacheDirectory, described.digest);
    await rename(file, blob);
    await writeFile(unfinished, JSON.stringify(described));
    await rename(unfinished, record);
    return { ...described, file: blob };
  } finally {
    await rm(unfinished, { force: true });
  }
}

/** Blobs are named by what is in them, so that builders with different zlibs never mix record and blob. */
function blobFile(cacheDirectory: string, digest: Digest): string {
  return path.join(cacheDirectory, `${digest.replace('sha256:', '')}.tar.gz`);
}

async function readRecord(record: string, cacheDirectory: string): Promise<Layer | undefined> {
  try {
    const described = layerRecord.parse(JSON.parse(await readFile(record, 'utf8')));
    const file = blobFile(cacheDirectory, described.digest);
    const { size } = await stat(file);
    return size === described.size ? { ...described, file } : undefined;
  } catch {
    // Absent, cut short or of an older format: all of them are a miss, and assembling again replaces them.
    return undefined;
  }
}

async function contentKey(entries: readonly LayerEntry[]): Promise<string> {
  const key = createHash('sha256');
  for (const entry of canonicalEntries(entries)) {
    const identity = entry.type === 'file' ? await contentDigest(entry) : entry.type === 'symlink' ? entry.target : '';
    const mode = entry.type === 'symlink' ? undefined : entry.mode;
    key.update(JSON.stringify([entry.type, entry.path, mode ?? null, identity]));
  }
  return key.digest('hex');
}

async function contentDigest(entry: Extract<LayerEntry, { type: 'file' }>): Promise<string> {
  const hash = createHash('sha256');
  if ('content' in entry) hash.update(entry.content);
  else await pipeline(createReadStream(entry.source), hash);
  return hash.digest('hex');
}
