import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

import { ConvertedModelManifest, filesOf } from '../../deployment/converted-model.js';
import { digestOf, type Digest } from '../../deployment/digests.js';
import { isNumberType, NUMBER_TYPES } from './number-tensors.js';

/** A converted model on disk whose files are what its manifest says. */
export interface ModelDirectory {
  directory: string;
  manifest: ConvertedModelManifest;
  /** Digest of manifest.json, by which the model is known everywhere. */
  digest: Digest;
}

/**
 * Opens the directory that `conversion/` wrote.
 *
 * @throws Error when the manifest is missing or wrong, or a file is not the one that it names
 */
export async function openModelDirectory(directory: string): Promise<ModelDirectory> {
  const bytes = await readFile(join(directory, 'manifest.json'));
  const parsed = ConvertedModelManifest.safeParse(JSON.parse(bytes.toString('utf8')));
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new Error(`manifest.json: ${problems.join('; ')}`);
  }
  const manifest = parsed.data;
  requireServable(manifest);
  await Promise.all([...filesOf(manifest)].map(([file, sha256]) => verify(directory, file, sha256)));
  return { directory, manifest, digest: digestOf(bytes) };
}

/** @throws Error when the model takes what this server cannot decode or read */
function requireServable({ decode, inputs }: ConvertedModelManifest): void {
  const unreadable = inputs.find(({ dtype }) => !(decode ? dtype === 'DT_STRING' : isNumberType(dtype)));
  if (unreadable) {
    const expected = decode ? 'DT_STRING' : Object.keys(NUMBER_TYPES).join(' or ');
    throw new Error(`manifest.json: input ${unreadable.name} is ${unreadable.dtype}, this server takes ${expected}`);
  }
}

async function verify(directory: string, file: string, sha256: string): Promise<void> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(join(directory, file)), hash);
  const actual = `sha256:${hash.digest('hex')}`;
  if (actual !== sha256) throw new Error(`${file} has digest ${actual}, manifest.json says ${sha256}`);
}
