import type { Sampling } from '../../deployment/converted-model.js';

/**
 * For each place along one axis of an image: where the two pixels of the photo begin between which it lies, in bytes from the
 * photo's first one, and how far it is from the first.
 */
export interface Neighbours {
  first: Int32Array;
  second: Int32Array;
  /** From 0 to 1. */
  weight: Float32Array;
}

/** One axis of a photo that is resized and then cropped, in pixels. */
export interface Axis {
  photo: number;
  resized: number;
  /** The crop: from which pixel on, and how many. */
  first: number;
  count: number;
  /** Bytes from one pixel to the next. */
  stride: number;
}

const { fround } = Math;

/**
 * ONNX's Resize, mode `linear` (https://onnx.ai/onnx/operators/onnx__Resize.html), in the order and the precision in which ONNX
 * Runtime computes it: an error of 1e-5 pixels would show in the last digits of an answer.
 */
export function neighbours(coordinates: Sampling['coordinates'], axis: Axis): Neighbours {
  const place = PLACES[coordinates];
  const scale = fround(axis.resized / axis.photo);
  const first = new Int32Array(axis.count);
  const second = new Int32Array(axis.count);
  const weight = new Float32Array(axis.count);
  for (let index = 0; index < axis.count; index++) {
    const exact = Math.min(Math.max(place(axis.first + index, axis, scale), 0), axis.photo - 1);
    const pixel = Math.trunc(exact);
    first[index] = pixel * axis.stride;
    second[index] = Math.min(pixel + 1, axis.photo - 1) * axis.stride;
    weight[index] = exact - pixel;
  }
  return { first, second, weight };
}

/** Where a pixel of the resized photo lies in the photo. */
const PLACES: Record<Sampling['coordinates'], (pixel: number, axis: Axis, scale: number) => number> = {
  half_pixel: (pixel, _axis, scale) => fround(fround(fround(pixel + 0.5) / scale) - 0.5),
  asymmetric: (pixel, _axis, scale) => fround(pixel / scale),
  align_corners: (pixel, { photo, resized }) => fround(fround(pixel * (photo - 1)) / Math.max(1, resized - 1)),
};
