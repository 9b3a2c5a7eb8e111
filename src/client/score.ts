import path from 'node:path';
import type { Score } from '../deployment/activities.js';
import { SlipwayError } from '../deployment/errors.js';
import { PredictClient } from '../scoring/client/predict-client.js';
import { PredictError } from '../scoring/client/predict-error.js';
import { topK } from '../scoring/client/top-k.js';
import { readJpeg } from './jpeg.js';

/** A scoring service that answers. */
export interface ScoringEndpoint {
  /** `host:port` */
  readonly address: string;
  /** Name of the model that it serves. */
  readonly model: string;
  /** With it the connection is TLS. `serverName`: the name in the certificate, where it is not the address's host. */
  readonly trust?: { readonly root: string; readonly serverName?: string };
  /** Tried in this order: pods take up a new key some time after it was made. */
  readonly keys?: readonly string[];
  /** Key of the input that takes JPEGs; asked for when it is not known. */
  readonly input?: string;
  readonly labels?: readonly string[];
}

/** Classes that are given for each photo. */
const CLASSES = 5;

/**
 * Scores photos in one request.
 *
 * @throws SlipwayError the codes of {@link readJpeg}; PredictError when the service refuses or does not answer
 */
export async function scorePhotos(endpoint: ScoringEndpoint, photos: readonly string[]): Promise<Score[]> {
  const images = await Promise.all(photos.map(readJpeg));
  const [key, ...others] = endpoint.keys ?? [];
  try {
    return await scoreWith(endpoint, key, photos, images);
  } catch (error) {
    if (others.length === 0 || !(error instanceof PredictError) || error.code !== 'UNAUTHENTICATED') throw error;
    return scorePhotos({ ...endpoint, keys: others }, photos);
  }
}

async function scoreWith(
  endpoint: ScoringEndpoint,
  key: string | undefined,
  photos: readonly string[],
  images: readonly Buffer[],
): Promise<Score[]> {
  const { address, model, trust } = endpoint;
  const client = PredictClient.connect({ address, model, key, tls: trust });
  try {
    const input = endpoint.input ?? (await firstInput(client));
    const { outputs } = await client.predict({ input, images });
    const [scores] = Object.values(outputs);
    if (!scores) throw new SlipwayError('NoOutput', `${model} gives no output`);
    const classes = scores.values.length / images.length;
    return photos.map((photo, row) => ({
      image: path.basename(photo),
      top5: topK(scores.values.subarray(row * classes, (row + 1) * classes), CLASSES, endpoint.labels),
    }));
  } finally {
    client.close();
  }
}

async function firstInput(client: PredictClient): Promise<string> {
  const { signatures } = await client.metadata();
  const [signature] = Object.values(signatures);
  const [input] = Object.keys(signature?.inputs ?? {});
  if (input === undefined) throw new SlipwayError('NoInput', 'The model names no input');
  return input;
}
