import { z } from 'zod';
import { RegistryError } from '../errors.js';
import { isDigest } from '../names.js';
import { Content } from '../storage/content.js';
import type { NewManifest, Repositories } from '../storage/repositories.js';

const descriptor = z.looseObject({
  mediaType: z.string(),
  digest: z.string().refine(isDigest, 'not a sha256 digest'),
  size: z.number().int().nonnegative(),
  urls: z.array(z.string()).optional(),
  platform: z.looseObject({ architecture: z.string().optional(), os: z.string().optional() }).optional(),
});
const versioned = { schemaVersion: z.literal(2), mediaType: z.string().optional() };
const imageManifest = z.looseObject({ ...versioned, config: descriptor, layers: z.array(descriptor) });
const imageIndex = z.looseObject({ ...versioned, manifests: z.array(descriptor) });

const schemas: Readonly<Record<string, typeof imageManifest | typeof imageIndex>> = {
  'application/vnd.oci.image.manifest.v1+json': imageManifest,
  'application/vnd.docker.distribution.manifest.v2+json': imageManifest,
  'application/vnd.oci.image.index.v1+json': imageIndex,
  'application/vnd.docker.distribution.manifest.list.v2+json': imageIndex,
};

const platform = z.object({ architecture: z.string().optional(), os: z.string().optional() });

/** Where the things that a manifest names are looked for. */
export interface ManifestContext {
  readonly repository: string;
  readonly repositories: Repositories;
  readonly content: Content;
}

/**
 * Checks the bytes of a manifest against its media type, and that everything it names is in the repository.
 *
 * @throws {RegistryError} MANIFEST_INVALID, MANIFEST_BLOB_UNKNOWN or MANIFEST_UNKNOWN
 */
export function readManifest(bytes: Buffer, contentType: string | undefined, context: ManifestContext): NewManifest {
  const mediaType = contentType?.split(';')[0]?.trim() ?? '';
  const schema = schemas[mediaType];
  if (schema === undefined) throw invalid(`media type '${mediaType}' is not supported`);
  const result = schema.safeParse(parseJson(bytes));
  if (!result.success) throw invalid(z.prettifyError(result.error));
  const document = result.data;
  if (document.mediaType !== undefined && document.mediaType !== mediaType) {
    throw invalid(`mediaType ${document.mediaType} contradicts content type ${mediaType}`);
  }
  const common = { digest: Content.digestOf(bytes), mediaType };
  return 'manifests' in document
    ? { ...common, ...describeIndex(imageIndex.parse(document), bytes.length, context) }
    : { ...common, ...describeImage(imageManifest.parse(document), bytes.length, context) };
}

type Description = Omit<NewManifest, 'digest' | 'mediaType'>;

function describeImage(
  { config, layers }: z.infer<typeof imageManifest>,
  ownSize: number,
  { repository, repositories, content }: ManifestContext,
): Description {
  // Layers with URLs of their own are fetched from there and need not be pushed.
  const pushed = [config, ...layers.filter(({ urls }) => urls === undefined)];
  for (const { digest } of pushed) {
    if (!repositories.hasBlob(repository, digest) || content.size(digest) === undefined) {
      throw new RegistryError(404, 'MANIFEST_BLOB_UNKNOWN', 'blob unknown to registry', { detail: { digest } });
    }
  }
  const imageSize = pushed.reduce((sum, { size }) => sum + size, ownSize);
  return {
    imageSize,
    blobs: pushed.map(({ digest }) => digest),
    manifests: [],
    configMediaType: config.mediaType,
    ...readPlatform(content.read(config.digest)),
  };
}

function describeIndex(
  index: z.infer<typeof imageIndex>,
  ownSize: number,
  { repository, repositories }: ManifestContext,
): Description {
  let imageSize = ownSize;
  const manifests = index.manifests.map((child) => {
    const known = repositories.manifest(repository, child.digest);
    if (known === undefined) {
      throw new RegistryError(404, 'MANIFEST_UNKNOWN', `manifest ${child.digest} of the index is not found`, {
        detail: { digest: child.digest },
      });
    }
    imageSize += known.imageSize;
    return { digest: child.digest, ...readPlatformOf(child.platform) };
  });
  return { imageSize, blobs: [], manifests };
}

function readPlatform(config: Buffer): { architecture?: string; os?: string } {
  try {
    return readPlatformOf(platform.parse(JSON.parse(config.toString())));
  } catch {
    // Artifacts that are no images have a config of any kind.
    return {};
  }
}

function readPlatformOf(given: z.infer<typeof platform> | undefined): { architecture?: string; os?: string } {
  return {
    ...(given?.architecture !== undefined && { architecture: given.architecture }),
    ...(given?.os !== undefined && { os: given.os }),
  };
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    throw invalid('manifest is not JSON');
  }
}

function invalid(message: string): RegistryError {
  return new RegistryError(400, 'MANIFEST_INVALID', message);
}
