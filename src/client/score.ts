import path from 'node:path';
import type { ScoredClass } from '../deployment/activities.js';
import { SlipwayError } from '../deployment/errors.js';
import { detectorOutputs, topBoxes, type DetectedBox } from '../scoring/client/boxes.js';
import type { TlsOptions } from '../scoring/client/channel.js';
import { PredictClient } from '../scoring/client/predict-client.js';
import { PredictError } from '../scoring/client/predict-error.js';
import type { FileScore } from '../scoring/client/score-files.js';
import { topK } from '../scoring/client/top-k.js';
import { checkPhotos } from './photo.js';
import { explained } from './scoring-failures.js';

/** A scoring service that answers. */
export interface ScoringEndpoint {
  /** `host:port` */
  readonly address: string;
  /** Name of the model that it serves. */
  readonly model: string;
  /** With it the connection is TLS. */
  readonly tls?: TlsOptions;
  /** Tried in this order: pods take up a new key some time after it was made. */
  readonly keys?: readonly string[];
  /** Key of the input that takes images; asked for when it is not known. */
  readonly input?: string;
  readonly labels?: readonly string[];
}

/** What a model sees in a photo, best first: classes, or boxes when it is a detector. */
export type PhotoScore =
  | { readonly image: string; readonly classes: readonly ScoredClass[]; readonly boxes?: never }
  | { readonly image: string; readonly boxes: readonly DetectedBox[]; readonly classes?: never };

/** Classes or boxes that are given for each photo when nobody says how many. */
const TOP = 5;

/**
 * Scores photos.
 *
 * @returns in the order of `photos`
 * @throws SlipwayError the codes of {@link checkPhotos} and {@link explained}, `NoOutput`
 */
export async function scorePhotos(
  endpoint: ScoringEndpoint,
  photos: readonly string[],
  top = TOP,
): Promise<PhotoScore[]> {
  await checkPhotos(photos);
  const scores = await scoreWithAny(endpoint, endpoint.keys ?? [], photos);
  return scores.map((score) => ranked(score, top, endpoint));
}

/** Tries one key after the other while they are refused. */
async function scoreWithAny(
  endpoint: ScoringEndpoint,
  [key, ...others]: readonly string[],
  photos: readonly string[],
): Promise<FileScore[]> {
  try {
    return await scoreWith(endpoint, key, photos);
  } catch (error) {
    const refused = error instanceof PredictError && error.code === 'UNAUTHENTICATED';
    if (refused && others.length > 0) return scoreWithAny(endpoint, others, photos);
    throw explained(error, key !== undefined);
  }
}

async function scoreWith(
  { address, model, tls, input }: ScoringEndpoint,
  key: string | undefined,
  photos: readonly string[],
): Promise<FileScore[]> {
  const client = PredictClient.connect({ address, model, key, tls });
  try {
    return await client.scoreFiles(photos, { inputName: input });
  } finally {
    client.close();
  }
}

function ranked({ file, outputs }: FileScore, top: number, { model, labels }: ScoringEndpoint): PhotoScore {
  const image = path.basename(file);
  const detector = detectorOutputs(outputs);
  if (detector) return { image, boxes: topBoxes(detector, top, labels) };
  const [scores] = Object.values(outputs);
  if (!scores) throw new SlipwayError('NoOutput', `${model} gives no output`);
  return { image, classes: topK(scores.values, top, labels) };
}
