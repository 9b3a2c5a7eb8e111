import protobuf from 'protobufjs/minimal.js';
import type { Json, JsonObject } from '../json.js';
import { timestamp } from '../object-rules.js';
import { messages } from './messages.js';

interface Field {
  /** Empty where the fields of its message are those of the object around it. */
  name: string;
  container: 'list' | 'map' | undefined;
  type: string;
  /** Whether JSON leaves it out when it is empty. */
  omitEmpty: boolean;
}
/** The fields of a message by their numbers. */
export type Fields = ReadonlyMap<number, Field>;

/** Reads the notation of `messages.ts`. */
export function parseFields(notation: string): Fields {
  const fields = notation.split(' ').map((field): [number, Field] => {
    const [id, name = '', noted = ''] = field.split(':');
    const [, mark, type = '', omit] = /^(\[\]|\{\})?([^?]+)(\?)?$/.exec(noted) ?? [];
    const container = mark === '[]' ? 'list' : mark === '{}' ? 'map' : undefined;
    return [Number(id), { name, container, type, omitEmpty: omit !== undefined }];
  });
  return new Map(fields);
}

const parsed = new Map<string, Fields>();

export function fieldsOf(message: string): Fields {
  const fields = parsed.get(message) ?? parseFields(messages[message] ?? '');
  parsed.set(message, fields);
  return fields;
}

const timeFields = parseFields('1:seconds:int 2:nanos:int');
const quantityFields = parseFields('1:text:string');
const intOrStringFields = parseFields('1:isString:int 2:number:int 3:text:string');
const rawFields = parseFields('1:raw:bytes');

/** The types that are not in JSON what they are in protobuf. */
const ownForms: Readonly<Record<string, (bytes: Uint8Array) => Json>> = {
  Time: (bytes) => {
    const { seconds } = readMessage(bytes, timeFields);
    return seconds === undefined ? null : timestamp(new Date(Number(seconds) * 1000));
  },
  MicroTime: (bytes) => {
    const { seconds, nanos = 0 } = readMessage(bytes, timeFields);
    if (seconds === undefined) return null;
    const micros = String(Math.trunc(Number(nanos) / 1000)).padStart(6, '0');
    return timestamp(new Date(Number(seconds) * 1000)).replace('Z', `.${micros}Z`);
  },
  Quantity: (bytes) => readMessage(bytes, quantityFields)['text'] ?? '0',
  IntOrString: (bytes) => {
    const { isString, number = 0, text = '' } = readMessage(bytes, intOrStringFields);
    return isString === 1 ? text : number;
  },
  FieldsV1: (bytes) => {
    const { raw = '' } = readMessage(bytes, rawFields);
    // Bytes became base64.
    return JSON.parse(Buffer.from(raw as string, 'base64').toString()) as Json;
  },
};

/**
 * Reads a message; fields that it does not have are skipped.
 * @throws Error where it is broken
 */
export function readMessage(bytes: Uint8Array, fields: Fields): JsonObject {
  const reader = protobuf.Reader.create(bytes);
  const read = new Map<Field, Json[]>();
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const field = fields.get(tag >>> 3);
    if (field === undefined) {
      reader.skipType(tag & 7);
      continue;
    }
    const values = read.get(field) ?? [];
    values.push(field.container === 'map' ? readEntry(reader.bytes(), field.type) : readValue(reader, field.type));
    read.set(field, values);
  }
  return Object.fromEntries([...read].flatMap(([field, values]) => membersOf(field, values)));
}

/** What a field's values are in JSON, as members of its object. */
function membersOf({ name, container, omitEmpty }: Field, values: Json[]): [string, Json][] {
  if (container === 'list') return [[name, values]];
  // Each was read as a pair.
  if (container === 'map') return [[name, Object.fromEntries(values as [string, Json][])]];
  const value = values.at(-1) ?? null;
  // A message becomes an object.
  if (name === '') return Object.entries(value as JsonObject);
  return omitEmpty && !value ? [] : [[name, value]];
}

/** An entry of a map, as a pair. */
function readEntry(bytes: Uint8Array, type: string): [string, Json] {
  const { key = '', value = '' } = readMessage(bytes, parseFields(`1:key:string 2:value:${type}`));
  // By its notation.
  return [key as string, value];
}

function readValue(reader: protobuf.Reader, type: string): Json {
  if (type === 'string') return reader.string();
  if (type === 'bool') return reader.bool();
  // It gives an object that converts to a number.
  if (type === 'int') return Number(reader.int64());
  const bytes = reader.bytes();
  if (type === 'bytes') return Buffer.from(bytes).toString('base64');
  const read = ownForms[type];
  return read === undefined ? readMessage(bytes, fieldsOf(type)) : read(bytes);
}
