import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { allowedDifference } from '../../deployment/converted-model.js';
import type { ModelDirectory } from './model-directory.js';
import type { Scorer, Scores } from './scorer.js';

interface Golden {
  name: string;
  row: Buffer;
  shape: readonly number[] | undefined;
  outputs: { name: string; values: Float32Array; tolerance: number | undefined }[];
}

/** How well the model agrees with the goldens. */
export interface SelfCheck {
  photos: number;
  maxAbsoluteDifference: number;
}

/**
 * Scores the golden photos and compares with what TensorFlow gave for them, so that a server that decodes, preprocesses or
 * computes differently never becomes ready. Every thread runs several rows at a time and then one, so that both are checked
 * and warm before the first caller comes.
 *
 * @param threads number of inference threads behind `scorer`
 * @throws Error naming the photo and the output that differ by more than {@link allowedDifference}
 */
export async function checkGoldens(model: ModelDirectory, scorer: Scorer, threads: number): Promise<SelfCheck> {
  const tolerances = new Map(model.manifest.outputs.map(({ name, tolerance }) => [name, tolerance]));
  const goldens = await Promise.all(
    model.manifest.goldens.map((golden) => readGolden(model.directory, golden, tolerances)),
  );
  const repeated = (length: number) =>
    Array.from({ length }, (_, index) => goldens[index % goldens.length]).filter((golden) => golden !== undefined);
  const check = async (group: Golden[]) => {
    const shape = group[0]?.shape;
    const scores = await scorer.score({ rows: group.map((golden) => golden.row), ...(shape ? { shape } : {}) });
    return Math.max(...group.map((golden, row) => compare(golden, scores, row)));
  };
  const together = await check(repeated(Math.max(goldens.length, 2 * threads)));
  const alone = await Promise.all(repeated(threads).map((golden) => check([golden])));
  return { photos: goldens.length, maxAbsoluteDifference: Math.max(together, ...alone) };
}

async function readGolden(
  directory: string,
  { photo, shape, outputs }: ModelDirectory['manifest']['goldens'][number],
  tolerances: ReadonlyMap<string, number | undefined>,
): Promise<Golden> {
  const values = Object.entries(outputs).map(async ([name, { file }]) => ({
    name,
    values: floats(await readFile(join(directory, file))),
    tolerance: tolerances.get(name),
  }));
  return { name: photo, row: await readFile(join(directory, photo)), shape, outputs: await Promise.all(values) };
}

/** @returns the largest absolute difference of the row from the golden */
function compare(golden: Golden, scores: Scores, row: number): number {
  let largest = 0;
  for (const { name, values, tolerance } of golden.outputs) {
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
      if (!(difference <= allowedDifference(expected, tolerance))) {
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
