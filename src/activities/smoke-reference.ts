import { openBlobStore, parseDatastoreUri, readBlob, type BlobStore } from '../azure/blobs.js';
import type { AzureConnection } from '../azure/connection.js';
import type { SmokeInput } from '../deployment/activities.js';
import { CONVERTED_MANIFEST, ConvertedModelManifest, parseLabels } from '../deployment/converted-model.js';
import { digestOf } from '../deployment/digests.js';
import { SlipwayError } from '../deployment/errors.js';
import type { SmokePhoto } from '../deployment/input.js';
import type { TensorType } from '../scoring/client/tensors.js';

/** What a live model must answer: the photos, and what the SavedModel itself gave for them when it was converted. */
export interface Reference {
  /** Signature key of the input. */
  readonly input: string;
  /** Signature key of the output whose values rank the classes: the first that the deployment asks for. */
  readonly ranking: string;
  readonly labels: readonly string[] | undefined;
  /** How far an output may be from its golden, where that is more than rounding. */
  readonly tolerances: ReadonlyMap<string, number | undefined>;
  readonly photos: readonly ReferencePhoto[];
}

export interface ReferencePhoto {
  readonly name: string;
  /** What the model is given for it: the JPEG, or a row of its input. */
  readonly content: Buffer;
  /** Of the row; absent for a JPEG. */
  readonly tensor: TensorType | undefined;
  /** Class that must be in the top-5. */
  readonly expect: number | undefined;
  /** One row for each output, as TensorFlow gave it. */
  readonly goldens: ReadonlyMap<string, Float32Array>;
}

/** Reads photos, goldens and labels from the workspace's blob store; every one of them is checked against its digest. */
export async function readReference(
  azure: AzureConnection,
  { workspace, converted, model, photos }: SmokeInput,
  abortSignal: AbortSignal,
): Promise<Reference> {
  const place = parseDatastoreUri(converted.url);
  const models = await openBlobStore(azure, workspace, abortSignal, place.datastore);
  const readModelFile = (file: string, digest: string) =>
    readVerified(models, `${place.path}/${file}`, digest, abortSignal);

  const manifestFile = await readModelFile(CONVERTED_MANIFEST, converted.digest);
  const manifest = ConvertedModelManifest.parse(JSON.parse(manifestFile.toString('utf8')));
  const labels = manifest.labels && (await readModelFile(manifest.labels.file, manifest.labels.sha256));
  const [input] = manifest.inputs;
  return {
    input: input?.name ?? '',
    ranking: rankingOutput(manifest, model.outputs[0]),
    labels: labels && parseLabels(labels),
    tolerances: new Map(manifest.outputs.map(({ name, tolerance }) => [name, tolerance])),
    photos: await Promise.all(
      photos.map(async ({ name, expect, digest }) => {
        const golden = goldenOf(manifest, { name, digest });
        return {
          name,
          expect,
          content: await readModelFile(golden.photo, golden.sha256),
          tensor: golden.shape && { dtype: input?.dtype ?? '', shape: golden.shape },
          goldens: await readOutputs(golden, readModelFile),
        };
      }),
    ),
  };
}

/** A deployment names outputs by their keys in the signature or by their tensors, with or without `:0`. */
function rankingOutput({ outputs }: ConvertedModelManifest, asked = ''): string {
  const bare = (tensor: string) => tensor.replace(/:0$/, '');
  const found = outputs.find(({ name, tensor }) => name === asked || bare(tensor) === bare(asked));
  return (found ?? outputs[0])?.name ?? asked;
}

type Golden = ConvertedModelManifest['goldens'][number];

function goldenOf({ goldens }: ConvertedModelManifest, { name, digest }: Pick<SmokePhoto, 'name' | 'digest'>): Golden {
  const golden = goldens.find(({ sha256, madeFrom = sha256 }) => madeFrom === digest);
  if (golden) return golden;
  throw new SlipwayError('GoldenMissing', `The conversion has no golden output for ${name}`, {
    fix: 'Remove the conversion from the cache and deploy again.',
  });
}

async function readOutputs(
  { outputs }: Golden,
  read: (file: string, digest: string) => Promise<Buffer>,
): Promise<Map<string, Float32Array>> {
  const rows = Object.entries(outputs).map(
    async ([output, { file, sha256 }]) => [output, floats(await read(file, sha256))] as const,
  );
  return new Map(await Promise.all(rows));
}

async function readVerified(store: BlobStore, path: string, digest: string, abortSignal: AbortSignal): Promise<Buffer> {
  const content = await readBlob(store, path, abortSignal);
  if (content !== undefined && digestOf(content) === digest) return content;
  const what = content === undefined ? 'is not there' : 'is not what its digest says';
  throw new SlipwayError('SmokeInputDamaged', `Blob ${path} ${what}`, { fix: 'Start the deployment again.' });
}

/** Little-endian float32, as the conversion writes them and as every platform of Node's has them. */
function floats(content: Buffer): Float32Array {
  return new Float32Array(Uint8Array.from(content).buffer);
}
