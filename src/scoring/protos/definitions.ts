import { fromJSON, type AnyDefinition } from '@grpc/proto-loader';

import { descriptor } from './descriptor.js';

// These options are what makes the interfaces in messages.ts true: every field is there when a message is read.
const definitions = fromJSON(descriptor, {
  keepCase: true,
  longs: Number,
  enums: String,
  defaults: true,
  oneofs: true,
});

/** A message or service of the protos by its full name, for example `tensorflow.serving.PredictionService`. */
export function definitionOf(name: string): AnyDefinition {
  const definition = definitions[name];
  if (!definition) throw new Error(`the descriptor has no ${name}`);
  return definition;
}
