import type { DataType, Draft, TensorProto, TensorShapeProto } from '../protos/messages.js';
import type { OutputRows } from './image-model.js';
import { MAX_IMAGES_PER_REQUEST } from './limits.js';
import { invalidArgument, resourceExhausted, type StatusError } from './status-error.js';

/** TensorFlow's own name of a type in its messages: `DT_STRING` is `string`. */
export function typeName(dtype: DataType): string {
  return typeof dtype === 'string' ? dtype.replace(/^DT_/, '').toLowerCase() : `unknown dtype enum (${dtype})`;
}

/**
 * Checks the type of an input.
 *
 * @param alias name of the input, for messages
 * @throws StatusError INVALID_ARGUMENT
 */
export function requireType(alias: string, tensor: TensorProto, expected: string): void {
  if (tensor.dtype === expected) return;
  if (tensor.dtype === 'DT_INVALID') throw parsingError(alias);
  throw invalidArgument(`Expects arg[0] to be ${typeName(expected)} but ${typeName(tensor.dtype)} is provided`);
}

/**
 * The sizes of a tensor whose first dimension counts the images. The shape is only a claim: a few bytes can claim any number.
 *
 * @throws StatusError INVALID_ARGUMENT when a size is missing or negative, RESOURCE_EXHAUSTED when there are too many images
 */
export function readShape(alias: string, shape: TensorShapeProto | null): number[] {
  const sizes = shape?.dim.map(({ size }) => size) ?? [];
  if (shape?.unknown_rank || sizes.some((size) => !Number.isSafeInteger(size) || size < 0)) throw parsingError(alias);
  if ((sizes[0] ?? 0) > MAX_IMAGES_PER_REQUEST) {
    throw resourceExhausted(`${sizes[0]} images in one request, the limit is ${MAX_IMAGES_PER_REQUEST}`);
  }
  return sizes;
}

/** What TensorFlow says of a tensor that it cannot read. */
export function parsingError(alias: string): StatusError {
  return invalidArgument(`tensor parsing error: ${alias}`);
}

/** An output as TensorFlow's clients read it. `tensor_content` because it costs a copy where `float_val` costs a loop. */
export function toTensorProto(dtype: string, { shape, bytes }: OutputRows): Draft<TensorProto> {
  return { dtype, tensor_shape: { dim: shape.map((size) => ({ size })) }, tensor_content: bytes };
}
