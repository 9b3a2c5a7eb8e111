// The photos that every side scores, and what TensorFlow answers for them.
import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** How far an answer may be from TensorFlow's: another decoder moves probabilities by 2e-2, rounding by less than 1e-5. */
const TOLERANCE = 1e-4;

/**
 * @typedef {{ name: string, bytes: Buffer, answer: Float32Array }} Photo
 * @param {string} model directory of the converted model
 * @returns {Promise<Photo[]>} the model's goldens
 */
export async function readPhotos(model) {
  const manifest = JSON.parse(await readFile(path.join(model, 'manifest.json'), 'utf8'));
  const read = (file) => readFile(path.join(model, file));
  const photos = manifest.goldens.map(async ({ photo, outputs }) => {
    const [{ file }] = Object.values(outputs);
    return { name: photo, bytes: await read(photo), answer: floats(await read(file)) };
  });
  return Promise.all(photos);
}

/** @param {Uint8Array} bytes little-endian float32 @returns {Float32Array} */
export function floats(bytes) {
  return new Float32Array(Uint8Array.prototype.slice.call(bytes).buffer);
}

/**
 * @param {Photo} photo @param {Float32Array} answer
 * @throws Error when the answer is not TensorFlow's
 */
export function requireSame({ name, answer: expected }, answer) {
  const difference = Math.max(...expected.map((value, index) => Math.abs(value - answer[index])));
  if (answer.length === expected.length && difference <= TOLERANCE) return;
  throw new Error(`${name} was answered with ${answer.length} values, up to ${difference} off`);
}
