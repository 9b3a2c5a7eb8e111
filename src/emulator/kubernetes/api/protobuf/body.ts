import protobuf from 'protobufjs/minimal.js';
import { z } from 'zod';
import type { JsonObject } from '../json.js';
import { ApiError, badRequest } from '../status.js';
import { messages } from './messages.js';
import { fieldsOf, parseFields, readMessage } from './reader.js';

/** Every object begins with it. https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding */
const MAGIC = Buffer.from('k8s\0');

const typeMetaFields = parseFields('1:apiVersion:string 2:kind:string');
const typeMetaSchema = z.object({ apiVersion: z.string().default(''), kind: z.string().default('') });

/**
 * Reads an object in Kubernetes' protobuf, and gives it as the same client would have written it in JSON.
 * @throws ApiError 400 for what is none, or of a kind that is not served
 */
export function decodeProtobuf(body: Buffer): JsonObject {
  if (!body.subarray(0, MAGIC.length).equals(MAGIC))
    throw badRequest('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]');
  try {
    const { apiVersion, kind, raw } = readEnvelope(body.subarray(MAGIC.length));
    return { apiVersion, kind, ...readMessage(raw, fieldsOf(messageOf(apiVersion, kind))) };
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw badRequest(`unable to decode the protobuf message: ${error instanceof Error ? error.message : ''}`);
  }
}

/** Kubernetes' `runtime.Unknown`: what kind an object is of, and its bytes. */
function readEnvelope(bytes: Uint8Array): { apiVersion: string; kind: string; raw: Uint8Array } {
  const reader = protobuf.Reader.create(bytes);
  let type = {};
  let raw: Uint8Array = new Uint8Array();
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1) type = readMessage(reader.bytes(), typeMetaFields);
    else if (tag >>> 3 === 2) raw = reader.bytes();
    else reader.skipType(tag & 7);
  }
  return { ...typeMetaSchema.parse(type), raw };
}

/** The name of a kind's message. Options of a delete come in the group of what is deleted. */
function messageOf(apiVersion: string, kind: string): string {
  const group = /^([^./]+).*\//.exec(apiVersion)?.[1];
  const name = group === undefined || kind === 'DeleteOptions' ? kind : `${group}.${kind}`;
  if (!Object.hasOwn(messages, name)) throw badRequest(`no kind "${kind}" is registered for version "${apiVersion}"`);
  return name;
}
