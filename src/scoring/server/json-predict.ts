import type { Draft, PredictResponse, TensorProto } from '../protos/messages.js';
import { isBase64, isObject, tensorOf, type Json } from './json-tensors.js';
import { toLists } from './json-outputs.js';
import type { ModelInput } from './signature.js';
import { invalidArgument } from './status-error.js';

/** How a request gave its images, which is how the answer gives the outputs: by image, or by tensor. */
export type JsonFormat = 'row' | 'columnar';

/** What the JSON of a Predict call says. */
export interface JsonPredict {
  format: JsonFormat;
  signatureName: string;
  inputs: Record<string, TensorProto>;
}

/**
 * Reads the body of a Predict call. Rules and texts are TensorFlow Serving's (util/json_tensor.cc).
 *
 * @param input of the model's signature; a value that is not in an object is meant for it
 * @throws StatusError INVALID_ARGUMENT
 */
export function readJsonPredict(body: Buffer, input: ModelInput): JsonPredict {
  const document = parse(body);
  const signatureName = document['signature_name'] ?? '';
  if (typeof signatureName !== 'string') {
    throw invalidArgument("JSON Value not formatted correctly. 'signature_name' key must be a string value.");
  }
  const { instances, inputs } = document;
  if (instances !== undefined && inputs !== undefined) {
    throw invalidArgument(
      "JSON Value Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist",
    );
  }
  if (instances !== undefined) return { format: 'row', signatureName, inputs: readInstances(instances, input) };
  if (inputs !== undefined) return { format: 'columnar', signatureName, inputs: readInputs(inputs, input) };
  throw invalidArgument("Missing 'inputs' or 'instances' key");
}

/** The answer as JSON: `predictions` by image, or `outputs` by tensor; one output alone goes without its name. */
export function writeJsonPredict({ outputs = {} }: Draft<PredictResponse>, format: JsonFormat): Json {
  const tensors = Object.entries(outputs).flatMap(([name, tensor]) =>
    tensor ? [{ name, lists: toLists(tensor) }] : [],
  );
  const [only, ...others] = tensors;
  const single = only && others.length === 0;
  if (format === 'columnar') {
    return { outputs: single ? only.lists : Object.fromEntries(tensors.map(({ name, lists }) => [name, lists])) };
  }
  if (single) return { predictions: only.lists };
  const rows = Array.isArray(only?.lists) ? only.lists : [];
  const row = (index: number) =>
    Object.fromEntries(tensors.map(({ name, lists }) => [name, (Array.isArray(lists) && lists[index]) || null]));
  return { predictions: rows.map((_, index) => row(index)) };
}

function parse(body: Buffer): { [key: string]: Json } {
  if (body.length === 0) throw invalidArgument('JSON Parse error: The document is empty');
  let document: Json;
  try {
    document = JSON.parse(body.toString('utf8')) as Json;
  } catch (error) {
    throw invalidArgument(`JSON Parse error: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!isObject(document)) throw invalidArgument('JSON Value is not object');
  return document;
}

/** Each instance is one image, or an object with the image under the input's name. */
function readInstances(instances: Json, input: ModelInput): Record<string, TensorProto> {
  if (!Array.isArray(instances)) throw invalidArgument("JSON Value Excepting 'instances' to be an list/array");
  const [first] = instances;
  if (first === undefined) throw invalidArgument("JSON Value No values in 'instances' array");
  const named = isNamed(first);
  const values = instances.map((instance, index) => {
    if (isNamed(instance) !== named) {
      const [expected, got] = named ? ['object', 'list'] : ['value/list', 'object'];
      throw invalidArgument(`Expecting ${expected} but got ${got} at item ${index} of input list`);
    }
    return isNamed(instance) ? onlyValue(instance, input, index) : instance;
  });
  return { [input.name]: tensorOf(values, input.dtype) };
}

function onlyValue(instance: { [key: string]: Json }, input: ModelInput, index: number): Json {
  const value = instance[input.name];
  if (value !== undefined && Object.keys(instance).length === 1) return value;
  throw invalidArgument(
    `Failed to process element: ${index} of 'instances' list. keys must be equal to: ${input.name}`,
  );
}

/** The whole tensor, or an object with it under the input's name. */
function readInputs(inputs: Json, input: ModelInput): Record<string, TensorProto> {
  if (!isNamed(inputs)) return { [input.name]: tensorOf(inputs, input.dtype) };
  const value = inputs[input.name];
  if (value === undefined) throw invalidArgument(`Missing named input: ${input.name} in 'inputs' object.`);
  return { [input.name]: tensorOf(value, input.dtype) };
}

function isNamed(value: Json): value is { [key: string]: Json } {
  return isObject(value) && !isBase64(value);
}
