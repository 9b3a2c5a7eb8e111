import type { MethodDefinition } from '@grpc/grpc-js';
import { fromJSON, type AnyDefinition } from '@grpc/proto-loader';

import { descriptor } from './descriptor.js';
import type { Draft } from './messages.js';

/**
 * Everything in the .proto files beside this one. The options are what makes the interfaces in messages.ts true: every field
 * is there when a message is read.
 */
export const definitions = fromJSON(descriptor, {
  keepCase: true,
  longs: Number,
  enums: String,
  defaults: true,
  oneofs: true,
});

/** A method with its messages: as they are written, and as they are read. */
export type Method<Request, Response> = Omit<
  MethodDefinition<Draft<Request>, Draft<Response>>,
  `${'request' | 'response'}Deserialize`
> & {
  requestDeserialize(this: void, bytes: Buffer): Request;
  responseDeserialize(this: void, bytes: Buffer): Response;
};

/** A message or service of the protos by its full name, for example `tensorflow.serving.PredictionService`. */
export function definitionOf(name: string): AnyDefinition {
  const definition = definitions[name];
  if (!definition) throw new Error(`the descriptor has no ${name}`);
  return definition;
}
