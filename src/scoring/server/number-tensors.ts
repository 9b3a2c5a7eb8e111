import type { TensorProto } from '../protos/messages.js';
import type { Batch } from './batch.js';
import { MAX_MESSAGE_BYTES } from './limits.js';
import { invalidArgument, resourceExhausted } from './status-error.js';
import { parsingError, readShape, requireType } from './tensors.js';

/** The types of which a model may take images without decoding. */
export const NUMBER_TYPES = {
  DT_FLOAT: { bytes: 4, array: Float32Array, values: 'float_val' },
  DT_UINT8: { bytes: 1, array: Uint8Array, values: 'int_val' },
} as const;

export type NumberType = keyof typeof NUMBER_TYPES;

export function isNumberType(dtype: string): dtype is NumberType {
  return Object.hasOwn(NUMBER_TYPES, dtype);
}

/**
 * Reads a tensor of images as TensorFlow's `Tensor::FromProto` does: from `tensor_content`, or else from the values of the
 * type, of which the last repeats when there are too few for the shape.
 *
 * @param alias name of the input, for messages
 * @param expected shape in the signature, with -1 for a dimension that is not fixed
 * @throws StatusError INVALID_ARGUMENT when type or shape are others, RESOURCE_EXHAUSTED when it is too large
 */
export function readNumbers(alias: string, tensor: TensorProto, dtype: NumberType, expected: number[]): Batch {
  requireType(alias, tensor, dtype);
  const sizes = readShape(alias, tensor.tensor_shape);
  if (
    sizes.length !== expected.length ||
    sizes.some((size, at) => (expected[at] ?? -1) >= 0 && size !== expected[at])
  ) {
    throw invalidArgument(`${alias} has shape [${sizes.join(',')}], the model takes [${expected.join(',')}]`);
  }
  const [count = 0, ...shape] = sizes;
  const { bytes } = NUMBER_TYPES[dtype];
  const rowBytes = shape.reduce((product, size) => product * size, bytes);
  if (count * rowBytes > MAX_MESSAGE_BYTES) {
    throw resourceExhausted(`${alias} of shape [${sizes.join(',')}] is over the limit of ${MAX_MESSAGE_BYTES} bytes`);
  }
  const content = contentOf(alias, tensor, dtype, count * rowBytes);
  const rows = Array.from({ length: count }, (_, row) => content.subarray(row * rowBytes, (row + 1) * rowBytes));
  return { rows, shape };
}

function contentOf(alias: string, tensor: TensorProto, dtype: NumberType, length: number): Uint8Array {
  const { bytes, array, values: field } = NUMBER_TYPES[dtype];
  if (tensor.tensor_content.length > 0) {
    if (tensor.tensor_content.length !== length) throw parsingError(alias);
    return tensor.tensor_content;
  }
  const values = tensor[field];
  const filled = new array(length / bytes).fill(values.at(-1) ?? 0);
  filled.set(values.slice(0, filled.length));
  return new Uint8Array(filled.buffer);
}
