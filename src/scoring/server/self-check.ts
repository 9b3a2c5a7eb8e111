import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { SELF_CHECK_TOLERANCE } from './limits.js';
import type { ModelDirectory } from './model-directory.js';
import type { Scorer, Scores } from './scorer.js';

interface Golden {
  name: string;
  row: Buffer;
  shape: readonly number[] | undefined;
  outputs: { name: string; values: Float32Array }[];
}

/** How well the model agrees with the goldens. */
export interface SelfCheck {
  photos: number;
  maxAbsoluteDifference: number;
}

/**
 * Scores the golden photos and compares with what TensorFlow gave for them, so that a server that decodes, preprocesses or
 * computes differently never becomes ready. Each photo is scored together with the next, at least once on every thread, so
 * that a run of several rows is checked too.
 *
 * @param threads number of inference threads behind `scorer`
 * @throws Error naming the photo and the output that differ by more than {@link SELF_CHECK_TOLERANCE}
 */
export async function checkGoldens(model: ModelDirectory, scorer: Scorer, threads: number): Promise<SelfCheck> {
  const goldens = await Promise.all(model.manifest.goldens.map((golden) => readGolden(model.directory, golden)));
  const rounds = Array.from({ length: Math.max(threads, goldens.length) }, (_, round) =>
    [round, round + 1].map((index) => goldens[index % goldens.length]).filter((golden) => golden !== undefined),
  );
  const differences = await Promise.all(
    rounds.map(async (pair) => {
      const shape = pair[0]?.shape;
      const scores = await scorer.score({ rows: pair.map((golden) => golden.row), ...(shape ? { shape } : {}) });
      return Math.max(...pair.map((golden, row) => compare(golden, scores, row)));
    }),
  );
  return { photos: goldens.length, maxAbsoluteDifference: Math.max(...differences) };
}

async function readGolden(
  directory: string,
  { photo, shape, outputs }: ModelDirectory['manifest']['goldens'][number],
): Promise<Golden> {
  const values = Object.entries(outputs).map(async ([name, { file }]) => ({
    name,
    values: floats(await readFile(join(directory, file))),
  }));
  return { name: photo, row: await readFile(join(directory, photo)), shape, outputs: await Promise.all(values) };
}

/** @returns the largest absolute difference of the row from the golden */
function compare(golden: Golden, scores: Scores, row: number): number {
  const { absolute, relative } = SELF_CHECK_TOLERANCE;
  let largest = 0;
  for (const { name, values } of golden.outputs) {
    const output = scores.find((candidate) => candidate.name === name);
    if (!output) throw new Error(`golden ${golden.name}: the model has no output ${name}`);
    const all = floats(output.bytes);
    const got = all.subarray(row * values.length, (row + 1) * values.length);
    if (all.length !== values.length * (output.shape[0] ?? 0)) {
      throw new Error(
        `golden ${golden.name}: ${name} has shape [${output.shape.join(', ')}], not ${values.length} values a row`,
      );
    }
    values.forEach((expected, index) => {
      const actual = got[index] ?? NaN;
      const difference = Math.abs(actual - expected);
      if (!(difference <= absolute + relative * Math.abs(expected))) {
        throw new Error(`golden ${golden.name}: ${name}[${index}] is ${actual}, TensorFlow gave ${expected}`);
      }
      largest = Math.max(largest, difference);
    });
  }
  return largest;
}

function floats(bytes: Uint8Array): Float32Array {
  return new Float32Array(Uint8Array.prototype.slice.call(bytes).buffer);
}
