import { blobPath, readBlob, type BlobStore } from '../azure/blobs.js';
import { CONVERTED_MANIFEST, ConvertedModelManifest } from '../deployment/converted-model.js';
import { digestOf, type Digest } from '../deployment/digests.js';
import { SlipwayError } from '../deployment/errors.js';

/**
 * Digest of the model that a conversion made; undefined when its result is not there.
 *
 * @param conversion digest of the conversion
 * @throws SlipwayError `ConvertedModelInvalid`
 */
export async function findConversionResult(
  store: BlobStore,
  conversion: Digest,
  abortSignal: AbortSignal,
): Promise<Digest | undefined> {
  const manifest = await readBlob(store, `${blobPath.conversion(conversion)}/${CONVERTED_MANIFEST}`, abortSignal);
  if (!manifest) return undefined;
  const parsed = ConvertedModelManifest.safeParse(parseJson(manifest));
  if (parsed.success) return digestOf(manifest);
  throw new SlipwayError('ConvertedModelInvalid', `${CONVERTED_MANIFEST} of the conversion: ${parsed.error.message}`);
}

function parseJson(content: Buffer): unknown {
  try {
    return JSON.parse(content.toString('utf8'));
  } catch {
    return undefined;
  }
}
