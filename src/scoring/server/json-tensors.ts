import type { TensorProto } from '../protos/messages.js';
import { MAX_IMAGES_PER_REQUEST } from './limits.js';
import { invalidArgument, resourceExhausted } from './status-error.js';
import { typeName } from './tensors.js';

/** A value of a JSON document. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/**
 * Makes a tensor of nested lists, strings and `{"b64": …}` objects. Rules and texts are TensorFlow Serving's
 * (util/json_tensor.cc).
 *
 * @throws StatusError INVALID_ARGUMENT when a value is of another type or the lists are not of one shape
 */
export function tensorOf(value: Json, dtype: string): TensorProto {
  const sizes = sizesOf(value);
  const values: Json[] = [];
  collect(value, 0, sizes, values);
  const numbers = dtype === 'DT_STRING' ? [] : values.map((item) => numberOf(item, dtype));
  return {
    dtype,
    tensor_shape: { dim: sizes.map((size) => ({ size, name: '' })), unknown_rank: false },
    tensor_content: Buffer.alloc(0),
    float_val: dtype === 'DT_FLOAT' ? numbers : [],
    int_val: dtype === 'DT_UINT8' ? numbers : [],
    string_val: dtype === 'DT_STRING' ? values.map(bytesOf) : [],
  };
}

/** Whether the value stands for bytes: an object with the one key `b64`, of a string. */
export function isBase64(value: Json): value is { b64: string } {
  if (!isObject(value)) return false;
  return Object.keys(value).length === 1 && typeof value['b64'] === 'string';
}

export function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sizesOf(value: Json): number[] {
  const sizes: number[] = [];
  for (let at: Json | undefined = value; Array.isArray(at); at = at[0]) {
    sizes.push(at.length);
    if (sizes.length > MAX_RANK) throw invalidArgument(`lists are nested more than ${MAX_RANK} deep`);
  }
  if ((sizes[0] ?? 0) > MAX_IMAGES_PER_REQUEST) {
    throw resourceExhausted(`${sizes[0]} images in one request, the limit is ${MAX_IMAGES_PER_REQUEST}`);
  }
  return sizes;
}

function collect(value: Json, level: number, sizes: number[], values: Json[]): void {
  if (!Array.isArray(value)) {
    if (level !== sizes.length) {
      throw invalidArgument(
        `JSON Value: ${show(value)} found at incorrect level: ${level + 1} in the JSON DOM. Expected at level: ${sizes.length}`,
      );
    }
    values.push(value);
    return;
  }
  if (level >= sizes.length) {
    throw invalidArgument(`Encountered list at unexpected level: ${level} expected < ${sizes.length}`);
  }
  if (value.length !== sizes[level]) {
    throw invalidArgument(
      `Encountered list at unexpected size: ${value.length} at level: ${level} expected size: ${sizes[level]}`,
    );
  }
  for (const item of value) collect(item, level + 1, sizes, values);
}

function bytesOf(value: Json): Buffer {
  if (typeof value === 'string') return Buffer.from(value);
  if (!isObject(value)) throw typeError(value, 'DT_STRING');
  if (!isBase64(value)) throw invalidArgument(`JSON Value: ${show(value)} not formatted correctly for base64 data`);
  const bytes = Buffer.from(value.b64, 'base64');
  if (!isWhole(value.b64, bytes) && !isWhole(value.b64.replace(/\s+/g, ''), bytes)) {
    throw invalidArgument('Unable to base64 decode');
  }
  return bytes;
}

/** Whether every character counted: Node passes over what is no base64, of which four characters are three bytes. */
function isWhole(base64: string, bytes: Buffer): boolean {
  const { length } = base64.replace(/=+$/, '');
  return length % 4 !== 1 && bytes.length === Math.floor((length * 3) / 4);
}

function numberOf(value: Json, dtype: string): number {
  if (typeof value !== 'number') throw typeError(value, dtype);
  if (dtype === 'DT_UINT8' && (!Number.isInteger(value) || value < 0 || value > 255)) throw typeError(value, dtype);
  return value;
}

function typeError(value: Json, dtype: string) {
  const type = value === null ? 'Null' : Array.isArray(value) ? 'Array' : typeof value;
  const name = type[0]?.toUpperCase() + type.slice(1);
  return invalidArgument(`JSON Value: ${show(value)} Type: ${name} is not of expected type: ${typeName(dtype)}`);
}

/** Deepest nesting of lists: an image with its batch has four. What follows the lists recurses. */
const MAX_RANK = 8;

/** Longest part of a caller's value that a message repeats, in characters. */
const SHOWN_LENGTH = 100;

function show(value: Json): string {
  if (typeof value === 'object' && value !== null) return 'of lists or objects';
  const text = JSON.stringify(value);
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text;
}
