import type { TensorProto } from '../protos/messages.js';
import { invalidArgument } from './status-error.js';
import { parsingError, readShape, requireType } from './tensors.js';

/**
 * Reads a vector of strings, or one string where the signature takes no more, as TensorFlow's `Tensor::FromProto` does: the shape
 * counts, not the number of values. The last value repeats when there are too few, values beyond the shape are ignored, and none at
 * all means empty strings.
 *
 * @param alias name of the input, for messages
 * @param expected shape in the signature; without dimensions it takes one string
 * @throws StatusError INVALID_ARGUMENT when it is no vector of strings, RESOURCE_EXHAUSTED when it is too long
 */
export function readStrings(alias: string, tensor: TensorProto, expected: readonly number[]): Uint8Array[] {
  requireType(alias, tensor, 'DT_STRING');
  const sizes = readShape(alias, tensor.tensor_shape);
  const [length, ...rest] = sizes.length === 0 && expected.length === 0 ? [1] : sizes;
  if (length === undefined || rest.length > 0) {
    throw invalidArgument(`${alias} must be a vector of JPEGs, shape [N], but has shape [${sizes.join(',')}]`);
  }
  if (tensor.tensor_content.length > 0) return splitContent(alias, tensor.tensor_content, length);
  const values = tensor.string_val;
  const last = values.at(-1) ?? new Uint8Array();
  return Array.from({ length }, (_, index) => values[index] ?? last);
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
