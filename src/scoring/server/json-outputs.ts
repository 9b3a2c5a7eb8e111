import type { Draft, TensorProto } from '../protos/messages.js';
import type { Json } from './json-tensors.js';

/** How the values of each type lie in `tensor_content`. */
const READERS: Record<string, (bytes: ArrayBuffer) => Json[]> = {
  DT_FLOAT: (bytes) => Array.from(new Float32Array(bytes), shortest),
  DT_DOUBLE: (bytes) => Array.from(new Float64Array(bytes)),
  DT_INT32: (bytes) => Array.from(new Int32Array(bytes)),
  DT_INT64: (bytes) => Array.from(new BigInt64Array(bytes), Number),
  DT_UINT8: (bytes) => Array.from(new Uint8Array(bytes)),
  DT_INT8: (bytes) => Array.from(new Int8Array(bytes)),
  DT_BOOL: (bytes) => Array.from(new Uint8Array(bytes), (value) => value !== 0),
};

/**
 * The values of an output of ours as nested lists.
 *
 * @throws Error when JSON has nothing for the type
 */
export function toLists({ dtype, tensor_shape, tensor_content }: Draft<TensorProto>): Json {
  const read = READERS[String(dtype)];
  if (!read) throw new Error(`an output of ${dtype} cannot be written as JSON`);
  const content = tensor_content ?? new Uint8Array();
  const values = read(Uint8Array.prototype.slice.call(content).buffer);
  const sizes = (tensor_shape?.dim ?? []).map((dim) => dim?.size ?? 0);
  if (sizes.length === 0) return values[0] ?? null;
  return sizes
    .slice(1)
    .reduceRight<Json[]>((items, size) => groups(items, size), values)
    .slice(0, sizes[0]);
}

/** The decimal number with the fewest digits that is this float: 0.1 and not 0.10000000149011612. */
function shortest(value: number): number {
  const short = Number(value.toPrecision(7));
  return Math.fround(short) === value ? short : Number(value.toPrecision(9));
}

function groups(items: Json[], size: number): Json[] {
  if (size === 0) return [];
  return Array.from({ length: items.length / size }, (_, index) => items.slice(index * size, (index + 1) * size));
}
