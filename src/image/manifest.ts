import { canonicalJson, type Digest, digestOf } from '../deployment/digests.js';
import { ImageAssemblyError } from './errors.js';
import type { LayerDescriptor } from './layer.js';

/** Media types of the two documents of an image. */
export const manifestMediaType = 'application/vnd.oci.image.manifest.v1+json';
export const configMediaType = 'application/vnd.oci.image.config.v1+json';

/** A small blob that is pushed as it is. `size` is in bytes. */
export interface ImageBlob {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly content: Buffer;
}

/** How a container starts. */
export interface ImageConfig {
  readonly entrypoint: readonly string[];
  readonly user?: string;
  readonly workingDir?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Ports with their protocol, such as `8500/tcp`. */
  readonly exposedPorts?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  /** OCI architecture, such as `amd64`; this machine's by default. */
  readonly architecture?: string;
}

export interface Image {
  readonly config: ImageBlob;
  readonly manifest: ImageBlob;
}

const architectures: Partial<Record<NodeJS.Architecture, string>> = { x64: 'amd64', arm64: 'arm64' };

/**
 * The config and the manifest of an image with the given layers, lowest first. The same arguments give the same bytes:
 * nothing of the time or the machine goes in but the architecture.
 *
 * @throws {ImageAssemblyError} `UnsupportedPlatform` where this machine's architecture has no OCI name and none is given
 */
export function assembleImage(image: { layers: readonly LayerDescriptor[]; config: ImageConfig }): Image {
  const config = jsonBlob(configMediaType, {
    architecture: image.config.architecture ?? hostArchitecture(),
    os: 'linux',
    config: containerConfig(image.config),
    rootfs: { type: 'layers', diff_ids: image.layers.map((layer) => layer.diffId) },
  });
  const manifest = jsonBlob(manifestMediaType, {
    schemaVersion: 2,
    mediaType: manifestMediaType,
    config: descriptor(config),
    layers: image.layers.map(descriptor),
  });
  return { config, manifest };
}

function containerConfig(config: ImageConfig): Record<string, unknown> {
  const { env, exposedPorts } = config;
  return {
    User: config.user,
    ExposedPorts: exposedPorts && Object.fromEntries(exposedPorts.map((port) => [port, {}])),
    Env:
      env &&
      Object.keys(env)
        .sort()
        .map((name) => `${name}=${env[name]}`),
    Entrypoint: config.entrypoint,
    WorkingDir: config.workingDir,
    Labels: config.labels,
  };
}

function hostArchitecture(): string {
  const name = architectures[process.arch];
  if (name === undefined) {
    throw new ImageAssemblyError('UnsupportedPlatform', `no image architecture is known for ${process.arch}`);
  }
  return name;
}

function descriptor({ mediaType, digest, size }: Omit<LayerDescriptor, 'diffId'>): Record<string, unknown> {
  return { mediaType, digest, size };
}

function jsonBlob(mediaType: string, document: Record<string, unknown>): ImageBlob {
  const content = Buffer.from(canonicalJson(document));
  return { mediaType, digest: digestOf(content), size: content.length, content };
}
