import { readFile, stat } from 'node:fs/promises';
import pLimit from 'p-limit';

import { FILE_BYTES_PER_REQUEST, FILES_PER_REQUEST, PARALLEL_REQUESTS } from './limits.js';
import type { AnsweringModel } from './model-metadata.js';
import type { CallOptions, PredictClient } from './predict-client.js';
import { PredictError } from './predict-error.js';
import { row, type FloatTensor } from './tensors.js';

export interface FileOptions extends CallOptions {
  /** The input that takes images: its key in the signature, or its name in the graph; default: the only one of the model. */
  inputName?: string | undefined;
  /** Outputs to answer, named like the input; all when left out. */
  outputs?: string[] | undefined;
}

/** What a model answers to one file. */
export interface FileScore {
  file: string;
  /** By the name that was asked for, without the dimension that counts the images. */
  outputs: Record<string, FloatTensor>;
  model: AnsweringModel;
  modelDigest: string | undefined;
}

/**
 * Scores files, many in a request and several requests at a time: no more of them are in memory than are under way.
 *
 * @returns the answers in the order of `files`
 * @throws PredictError, which names the file where the server refuses one; Node's own error when a file cannot be read
 */
export async function scoreFiles(
  client: PredictClient,
  files: readonly string[],
  options: FileOptions = {},
): Promise<FileScore[]> {
  if (files.length === 0) return [];
  const { inputName, outputs, ...call } = options;
  const input = inputName ?? (await client.imageInput(call));
  const limit = pLimit(PARALLEL_REQUESTS);
  const failed = new AbortController();
  const signal = call.signal ? AbortSignal.any([call.signal, failed.signal]) : failed.signal;
  const scoreBatch = async (batch: readonly string[]): Promise<FileScore[]> => {
    signal.throwIfAborted();
    const images = await Promise.all(batch.map((file) => readFile(file)));
    const answer = await client.predict({ ...call, signal, input, outputs, images }).catch((error: unknown) => {
      throw namingFile(error, batch);
    });
    const { model, modelDigest } = answer;
    return batch.map((file, at) => ({ file, outputs: rowsAt(answer.outputs, at), model, modelDigest }));
  };
  try {
    const batches = divide(files, await Promise.all(files.map(async (file) => (await stat(file)).size)));
    return (await Promise.all(batches.map((batch) => limit(scoreBatch, batch)))).flat();
  } catch (error) {
    failed.abort(error);
    throw error;
  }
}

/** Consecutive files, as many as one request takes; a larger one goes alone. */
function divide(files: readonly string[], sizes: readonly number[]): string[][] {
  const batches: string[][] = [];
  let bytes = Infinity;
  files.forEach((file, at) => {
    const size = sizes[at] ?? 0;
    const last = batches.at(-1);
    if (last === undefined || last.length === FILES_PER_REQUEST || bytes + size > FILE_BYTES_PER_REQUEST) {
      batches.push([file]);
      bytes = size;
    } else {
      last.push(file);
      bytes += size;
    }
  });
  return batches;
}

function rowsAt(outputs: Record<string, FloatTensor>, at: number): Record<string, FloatTensor> {
  const rows = Object.entries(outputs).map(
    ([name, tensor]) => [name, { shape: tensor.shape.slice(1), values: row(tensor, at) }] as const,
  );
  return Object.fromEntries(rows);
}

/** A server names a bad image by its place in the request: `images[3]: …`. */
function namingFile(error: unknown, batch: readonly string[]): unknown {
  if (!(error instanceof PredictError)) return error;
  const [, at, reason] = /^[^\s[]+\[(\d+)\]: (.*)$/s.exec(error.message) ?? [];
  const file = batch[Number(at)];
  return file === undefined ? error : new PredictError(error.code, `${file}: ${reason}`, { cause: error });
}
