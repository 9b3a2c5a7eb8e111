import { inflateSync } from 'node:zlib';

import type { Pixels } from './pixels.js';
import { invalid, readPng, type Png } from './png-header.js';

/** Of the seven passes of an interlaced image: first column and row, and the steps between them (PNG, 8.2). */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

const ONE_PASS = [[0, 0, 1, 1]] as const;

/**
 * Decodes a PNG as TensorFlow's DecodeJpeg does for three channels: of 16 bits the upper 8, gray as RGB, transparency left out,
 * no gamma.
 *
 * @param admit throws when the image is of a size that is not wanted; called before memory is taken for it
 * @throws ImageError
 */
export function decodePng(bytes: Buffer, admit: (width: number, height: number) => void): Pixels {
  const png = readPng(bytes);
  admit(png.width, png.height);
  const passes = (png.interlaced ? ADAM7 : ONE_PASS).map(([x, y, dx, dy]) => ({
    ...{ x, y, dx, dy },
    width: Math.ceil((png.width - x) / dx),
    height: Math.ceil((png.height - y) / dy),
  }));
  const bits = png.channels * png.depth;
  const sizes = passes.map(({ width, height }) => (width > 0 && height > 0 ? (1 + rowBytes(width, bits)) * height : 0));
  const filtered = inflate(
    png,
    sizes.reduce((sum, size) => sum + size, 0),
  );
  const data = Buffer.alloc(png.width * png.height * 3);
  let at = 0;
  passes.forEach(({ x, y, dx, dy, width, height }, pass) => {
    const end = at + (sizes[pass] ?? 0);
    const samples = unfilter(filtered.subarray(at, end), rowBytes(width, bits), Math.max(1, bits >> 3));
    at = end;
    if (samples.length === 0) return;
    for (let row = 0; row < height; row++) {
      const from = row * rowBytes(width, bits);
      for (let column = 0; column < width; column++) {
        writePixel(png, samples, from, column, data, ((y + row * dy) * png.width + x + column * dx) * 3);
      }
    }
  });
  return { width: png.width, height: png.height, data };
}

const rowBytes = (width: number, bits: number) => Math.ceil((width * bits) / 8);

/** A few kilobytes can claim to be gigabytes: no more is inflated than the image has. */
function inflate({ compressed }: Png, length: number): Buffer {
  try {
    const data = inflateSync(Buffer.concat(compressed), { maxOutputLength: Math.max(1, length) });
    if (data.length === length) return data;
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : String(error));
  }
  throw invalid('it has too few pixels');
}

/**
 * Undoes the filter of each row (PNG, 9.2), in place: a row without the byte that names its filter never reaches what is still
 * to be read.
 *
 * @param length bytes of a row without that one
 * @param step bytes from a sample to the same one of the pixel to the left
 * @returns the rows one after the other
 */
function unfilter(bytes: Buffer, length: number, step: number): Buffer {
  const rows = Math.floor(bytes.length / (length + 1));
  for (let row = 0; row < rows; row++) {
    const filter = bytes[row * (length + 1)] ?? 0;
    if (filter > 4) throw invalid(`filter ${filter} is unknown`);
    const source = row * (length + 1) + 1;
    const target = row * length;
    for (let at = 0; at < length; at++) {
      const left = at >= step ? (bytes[target + at - step] ?? 0) : 0;
      const up = row > 0 ? (bytes[target + at - length] ?? 0) : 0;
      const corner = row > 0 && at >= step ? (bytes[target + at - length - step] ?? 0) : 0;
      bytes[target + at] = (bytes[source + at] ?? 0) + guess(filter, left, up, corner);
    }
  }
  return bytes.subarray(0, rows * length);
}

function guess(filter: number, left: number, up: number, corner: number): number {
  if (filter === 0) return 0;
  if (filter === 1) return left;
  if (filter === 2) return up;
  if (filter === 3) return (left + up) >> 1;
  const base = left + up - corner;
  const [toLeft, toUp, toCorner] = [Math.abs(base - left), Math.abs(base - up), Math.abs(base - corner)];
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

function writePixel(png: Png, samples: Buffer, row: number, column: number, data: Buffer, at: number): void {
  const { depth, channels, palette } = png;
  if (palette) {
    const index = sampleOf(samples, row, column, depth) * 3;
    for (let channel = 0; channel < 3; channel++) data[at + channel] = palette[index + channel] ?? 0;
    return;
  }
  for (let channel = 0; channel < 3; channel++) {
    // Gray, and gray with alpha, have one sample for all three.
    const sample = column * channels + (channels < 3 ? 0 : channel);
    const value = sampleOf(samples, row, sample, depth);
    data[at + channel] = depth < 8 ? (value * 255) / (2 ** depth - 1) : value;
  }
}

/** A sample of a row; of one of 16 bits the upper 8. */
function sampleOf(samples: Buffer, row: number, sample: number, depth: number): number {
  if (depth >= 8) return samples[row + sample * (depth >> 3)] ?? 0;
  const bit = sample * depth;
  return ((samples[row + (bit >> 3)] ?? 0) >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
}
