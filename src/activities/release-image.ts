import type { PushBlob, PushImage } from '../azure/registry.js';
import type { ModelVersion } from '../deployment/activities.js';
import { digestOfJson, type Digest } from '../deployment/digests.js';
import type { DeployInput } from '../deployment/input.js';
import {
  assembleImage,
  cachedLayer,
  hostBase,
  imageUser,
  modelEntries,
  modelInImage,
  nativeModules,
  nodeInImage,
  runtimeEntries,
  runtimeInImage,
  serverEnvironment,
  serverInImage,
  serverNodeOptions,
} from '../image/index.js';

/** The base that is made of this machine's Node and the libraries that it links to. */
export const HOST_BASE = 'host';
/** gRPC and health: what the scoring server listens on by default. */
const PORTS = ['8500/tcp', '8501/tcp'];

/** A release's image, ready to be pushed. */
export interface ReleaseImage extends Omit<PushImage, 'tags' | 'manifest'> {
  readonly manifest: PushImage['manifest'] & { readonly digest: Digest };
  /** Lowest first. */
  readonly layers: readonly ReleaseLayer[];
  readonly config: { readonly digest: string; readonly size: number };
}

/** A layer of a release's image. `digest` and `size` (bytes) are of the compressed blob. */
export interface ReleaseLayer {
  readonly content: 'base' | 'runtime' | 'model';
  readonly digest: string;
  readonly size: number;
  /** Digest of the uncompressed layer: it does not differ between versions of zlib. */
  readonly diffId: string;
}

/** Assembles base, scoring runtime and model; layers that were assembled before come from the cache. */
export async function assembleRelease(parts: {
  model: string;
  runtime: string;
  /** Directory that keeps layers. */
  layers: string;
}): Promise<ReleaseImage> {
  const base = await hostBase({ nativeModules: await nativeModules(parts.runtime) });
  const layers = [
    { content: 'base' as const, ...(await cachedLayer(base, parts.layers)) },
    { content: 'runtime' as const, ...(await cachedLayer(await runtimeEntries(parts.runtime), parts.layers)) },
    { content: 'model' as const, ...(await cachedLayer(await modelEntries(parts.model), parts.layers)) },
  ];
  const { config, manifest } = assembleImage({
    layers,
    config: {
      entrypoint: [nodeInImage, ...serverNodeOptions, serverInImage],
      user: imageUser,
      workingDir: runtimeInImage,
      env: { ...serverEnvironment, MODEL_DIR: modelInImage },
      exposedPorts: PORTS,
    },
  });
  const blobs: PushBlob[] = [
    ...layers.map(({ digest, size, file }) => ({ digest, size, source: { file } })),
    { digest: config.digest, size: config.size, source: { content: config.content } },
  ];
  return { blobs, manifest, layers, config };
}

/** Digest of everything that makes a release, design 3.10: equal ones need no new deployment. */
export function releaseDigest(release: {
  source: Pick<ModelVersion, 'name' | 'digest'>;
  converted: Pick<ModelVersion, 'digest'>;
  scoring: DeployInput['scoring'];
  image: { layers: readonly Pick<ReleaseLayer, 'diffId'>[] };
}): Digest {
  return digestOfJson({
    // The server answers to the model's name.
    model: release.source.name,
    source: release.source.digest,
    converted: release.converted.digest,
    layers: release.image.layers.map(({ diffId }) => diffId),
    base: HOST_BASE,
    start: { options: serverNodeOptions, environment: serverEnvironment },
    scoring: release.scoring,
  });
}
