import { status } from '@grpc/grpc-js';

import type { DataType, Draft, TensorProto, TensorShapeProto } from '../protos/messages.js';
import type { OutputRows } from './image-model.js';
import { MAX_IMAGES_PER_REQUEST } from './limits.js';
import { invalidArgument, StatusError } from './status-error.js';

/** TensorFlow's own name of a type in its messages: `DT_STRING` is `string`. */
export function typeName(dtype: DataType): string {
  return typeof dtype === 'string' ? dtype.replace(/^DT_/, '').toLowerCase() : `unknown dtype enum (${dtype})`;
}

/**
 * Reads a vector of strings as TensorFlow's `Tensor::FromProto` does: the shape counts, not the number of values. The last
 * value repeats when there are too few, values beyond the shape are ignored, and none at all means empty strings.
 *
 * @param alias name of the input, for messages
 * @throws StatusError INVALID_ARGUMENT when it is no vector of strings, RESOURCE_EXHAUSTED when it is too long
 */
export function readStrings(alias: string, tensor: TensorProto): Uint8Array[] {
  if (tensor.dtype !== 'DT_STRING') {
    if (tensor.dtype === 'DT_INVALID') throw parsingError(alias);
    throw invalidArgument(`Expects arg[0] to be string but ${typeName(tensor.dtype)} is provided`);
  }
  const length = vectorLength(alias, tensor.tensor_shape);
  if (tensor.tensor_content.length > 0) return splitContent(alias, tensor.tensor_content, length);
  const values = tensor.string_val;
  const last = values.at(-1) ?? new Uint8Array();
  return Array.from({ length }, (_, index) => values[index] ?? last);
}

function vectorLength(alias: string, shape: TensorShapeProto | null): number {
  const sizes = shape?.dim.map(({ size }) => size) ?? [];
  if (shape?.unknown_rank || sizes.some((size) => !Number.isSafeInteger(size) || size < 0)) throw parsingError(alias);
  const [length, ...rest] = sizes;
  if (length === undefined || rest.length > 0) {
    throw invalidArgument(`${alias} must be a vector of JPEGs, shape [N], but has shape [${sizes.join(',')}]`);
  }
  // The shape is only a claim, and a few bytes can claim any number of images.
  if (length > MAX_IMAGES_PER_REQUEST) {
    const reason = `${length} images in one request, the limit is ${MAX_IMAGES_PER_REQUEST}`;
    throw new StatusError(status.RESOURCE_EXHAUSTED, reason);
  }
  return length;
}

/** Strings in `tensor_content` are their lengths as varints, then their bytes (tensorflow/core/platform/tensor_coding). */
function splitContent(alias: string, content: Buffer, count: number): Uint8Array[] {
  let at = 0;
  const lengths = Array.from({ length: count }, () => {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = content[at++];
      if (byte === undefined) throw parsingError(alias);
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw parsingError(alias);
  });
  if (at + lengths.reduce((sum, length) => sum + length, 0) !== content.length) throw parsingError(alias);
  return lengths.map((length) => content.subarray(at, (at += length)));
}

const parsingError = (alias: string) => invalidArgument(`tensor parsing error: ${alias}`);

/** An output as TensorFlow's clients read it. `tensor_content` because it costs a copy where `float_val` costs a loop. */
export function toTensorProto(dtype: string, { shape, bytes }: OutputRows): Draft<TensorProto> {
  return { dtype, tensor_shape: { dim: shape.map((size) => ({ size })) }, tensor_content: bytes };
}
