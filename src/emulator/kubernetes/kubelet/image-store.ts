import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { z } from 'zod';
import type { Collection } from '../../core/documents.js';
import { architecture } from '../architecture.js';
import { imageLimits } from '../limits.js';
import { parseImageReference } from './image-reference.js';
import type { LayerCache, UnpackedLayer } from './layer-cache.js';
import { RegistryClient } from './registry-client.js';

/** Becomes a path in the caches. */
const digestSchema = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'not a sha256 digest');

const descriptorSchema = z.object({ digest: digestSchema, size: z.number(), mediaType: z.string().optional() });
const manifestSchema = z.object({ config: descriptorSchema, layers: z.array(descriptorSchema) });
const indexSchema = z.object({
  manifests: z.array(
    descriptorSchema.extend({ platform: z.object({ os: z.string(), architecture: z.string() }).optional() }),
  ),
});
const configSchema = z.object({
  config: z
    .object({
      Entrypoint: z.array(z.string()).nullish(),
      Cmd: z.array(z.string()).nullish(),
      Env: z.array(z.string()).nullish(),
      User: z.string().nullish(),
      WorkingDir: z.string().nullish(),
    })
    .default({}),
});
export type ImageConfig = z.infer<typeof configSchema>['config'];

/** An image that a node has: how to start it and what it is made of, lowest layer first. */
export interface PulledImage {
  image: string;
  /** Digest of its manifest. */
  digest: string;
  config: ImageConfig;
  layers: string[];
}

const manifestTypes = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
].join(', ');

export interface ImageStoreOptions {
  images: Collection<PulledImage>;
  layers: LayerCache;
  /** Makes an Entra ID token of the kubelet's identity. */
  entraToken: () => string;
  /** Certificate authority of the registries, PEM. */
  ca: string;
}

/** The images of a cluster's nodes. */
export class ImageStore {
  constructor(private readonly options: ImageStoreOptions) {}

  /** The image under that reference if all of it is here. */
  present(image: string): PulledImage | undefined {
    const pulled = this.options.images.get(image);
    return pulled?.layers.every((digest) => this.options.layers.has(digest)) === true ? pulled : undefined;
  }

  /** The unpacked layers of an image that has been pulled, lowest first. */
  layers(pulled: PulledImage): Promise<UnpackedLayer[]> {
    const missing = () => Promise.reject(new Error(`a layer of ${pulled.image} is no longer in the cache`));
    return Promise.all(pulled.layers.map((digest) => this.options.layers.get(digest, missing)));
  }

  /**
   * Pulls an image: manifest, configuration and the layers that are not here yet, each checked against its digest.
   * @throws Error with the registry's message
   */
  async pull(image: string): Promise<PulledImage> {
    const { registry, repository, reference } = parseImageReference(image);
    const client = new RegistryClient(registry, repository, this.options.entraToken, this.options.ca);
    try {
      const { digest, manifest } = await this.resolve(client, reference);
      const configBytes = await fetchVerified(client, `blobs/${manifest.config.digest}`, manifest.config.digest);
      for (const layer of manifest.layers) await this.pullLayer(client, layer);
      const { config } = configSchema.parse(JSON.parse(configBytes.toString()));
      const layers = manifest.layers.map((layer) => layer.digest);
      const pulled: PulledImage = { image: `${registry}/${repository}@${digest}`, digest, config, layers };
      this.options.images.put(image, pulled);
      return pulled;
    } finally {
      client.close();
    }
  }

  private async pullLayer(client: RegistryClient, { digest, size }: z.infer<typeof descriptorSchema>): Promise<void> {
    if (size > imageLimits.layerBytes)
      throw new Error(`layer ${digest} is larger than ${imageLimits.layerBytes} bytes`);
    await this.options.layers.get(digest, () => client.get(`blobs/${digest}`, '*/*'));
  }

  /** The manifest for this machine: an index is followed once. */
  private async resolve(client: RegistryClient, reference: string) {
    const bytes = await fetchVerified(client, `manifests/${reference}`, digestOrUndefined(reference));
    const content: unknown = JSON.parse(bytes.toString());
    const index = indexSchema.safeParse(content);
    if (!index.success) return { digest: digestOf(bytes), manifest: manifestSchema.parse(content) };
    const chosen = index.data.manifests.find(
      ({ platform }) => platform?.os === 'linux' && platform.architecture === architecture,
    );
    if (chosen === undefined) throw new Error(`no match for platform linux/${architecture} in manifest`);
    const chosenBytes = await fetchVerified(client, `manifests/${chosen.digest}`, chosen.digest);
    return { digest: digestOf(bytes), manifest: manifestSchema.parse(JSON.parse(chosenBytes.toString())) };
  }
}

const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

const digestOrUndefined = (reference: string): string | undefined =>
  reference.startsWith('sha256:') ? reference : undefined;

async function fetchVerified(client: RegistryClient, path: string, digest: string | undefined): Promise<Buffer> {
  const response = await client.get(path, manifestTypes);
  const length = Number(response.headers['content-length'] ?? 0);
  if (length > imageLimits.manifestBytes) throw new Error(`${path} is larger than ${imageLimits.manifestBytes} bytes`);
  const bytes = await buffer(response);
  if (digest !== undefined && digestOf(bytes) !== digest)
    throw new Error(`failed to verify ${digest}: the content differs`);
  return bytes;
}
