import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withoutNulls, type JsonObject } from '../../src/emulator/kubernetes/api/json.js';
import { decodeProtobuf } from '../../src/emulator/kubernetes/api/protobuf/body.js';

/** One object of each kind, filled at random by Go's client: what it wrote in protobuf, and what it read of that in JSON. */
const recorded = JSON.parse(
  readFileSync(join(import.meta.dirname, '../fixtures/kubernetes-protobuf.json'), 'utf8'),
) as { protobuf: string; json: JsonObject & { kind: string } }[];

describe('an object in protobuf', () => {
  it.each(recorded.map(({ protobuf, json }) => [json.kind, protobuf, json] as const))(
    'is read as Go reads it: %s',
    (_, protobuf, json) => {
      expect(withoutNulls(decodeProtobuf(Buffer.from(protobuf, 'base64')))).toEqual(withoutNulls(json));
    },
  );

  it.each([
    ['is no protobuf', Buffer.from('{"kind":"Pod"}'), /expected prefix \[107 56 115 0\]/],
    ['is broken off', Buffer.from(recorded[0]?.protobuf ?? '', 'base64').subarray(0, -1), /unable to decode/],
    [
      'is of a kind that is not there',
      Buffer.from('azhzAAoOCgJ2MRIIT2JqZWN0TWU=', 'base64'),
      /no kind "ObjectMe" is registered/,
    ],
    ['is nothing', Buffer.from('k8s\0'), /no kind "" is registered for version ""/],
  ])('is refused when it %s', (_, body, message) => {
    expect(() => decodeProtobuf(body)).toThrow(message);
  });
});
