import { createHash } from 'node:crypto';
import type { AzureConnection } from './connection.js';
import { isNotFound } from './failures.js';
import { inWorkspace } from './workspace.js';
import type { Identity } from '../deployment/names.js';
import { shortDigest } from '../deployment/names.js';
import type { Digest } from '../deployment/digests.js';

/** Name of the environment and of the code asset of conversions. Their versions are digests, so that all services share them. */
const CONVERSION_ASSET = 'slipway-conversion';

/** What a job runs in: a pinned base image and the packages on top of it. */
export interface EnvironmentContent {
  /** Image reference, pinned by digest. */
  readonly image: string;
  /** Text of the conda file. */
  readonly condaFile: string;
}

/** Digest of an environment: what its version is named after. */
export function environmentDigest({ image, condaFile }: EnvironmentContent): Digest {
  return `sha256:${createHash('sha256').update(`${image}\0${condaFile}`).digest('hex')}`;
}

/** Registers the environment under its digest, unless it is there. Returns its ARM id. */
export async function ensureEnvironment(
  azure: AzureConnection,
  identity: Identity,
  content: EnvironmentContent,
  abortSignal: AbortSignal,
): Promise<string> {
  const { client, place } = inWorkspace(azure, identity);
  const version = shortDigest(environmentDigest(content));
  const { image, condaFile } = content;
  return ensureAsset(
    () => client.environmentVersions.get(...place, CONVERSION_ASSET, version, { abortSignal }),
    () =>
      client.environmentVersions.createOrUpdate(
        ...place,
        CONVERSION_ASSET,
        version,
        { properties: { image, condaFile, osType: 'Linux', description: 'TensorFlow to ONNX, pinned' } },
        { abortSignal },
      ),
  );
}

/**
 * Registers the uploaded code under its digest, unless it is there. Returns its ARM id.
 *
 * @param url https address of the folder in the blob store
 */
export async function ensureCode(
  azure: AzureConnection,
  identity: Identity,
  { digest, url }: { digest: Digest; url: string },
  abortSignal: AbortSignal,
): Promise<string> {
  const { client, place } = inWorkspace(azure, identity);
  const version = shortDigest(digest);
  return ensureAsset(
    () => client.codeVersions.get(...place, CONVERSION_ASSET, version, { abortSignal }),
    () =>
      client.codeVersions.createOrUpdate(
        ...place,
        CONVERSION_ASSET,
        version,
        { properties: { codeUri: url, description: 'The conversion job' } },
        { abortSignal },
      ),
  );
}

async function ensureAsset(
  get: () => Promise<{ id?: string }>,
  create: () => Promise<{ id?: string }>,
): Promise<string> {
  const existing = await get().catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  return (existing ?? (await create())).id ?? '';
}
