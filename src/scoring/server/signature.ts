import { status } from '@grpc/grpc-js';

import type { ConvertedModelManifest } from '../../deployment/converted-model.js';
import type { Draft, ModelSpec, PredictRequest, SignatureDef, TensorInfo, TensorProto } from '../protos/messages.js';
import { invalidArgument, StatusError } from './status-error.js';

type Output = ConvertedModelManifest['outputs'][number];

const DEFAULT_SIGNATURE = 'serving_default';

/**
 * The SavedModel's signature, kept by the converted model. Codes and texts of its refusals are TensorFlow Serving's
 * (servables/tensorflow/predict_util.cc). Beyond TensorFlow Serving, a tensor may be named by its key or by its name in the
 * graph, each with or without `:0`, as clients of 2019 did.
 */
export class Signature {
  constructor(private readonly manifest: ConvertedModelManifest) {}

  /** @throws StatusError FAILED_PRECONDITION when the request asks for a signature that the model does not have */
  require(asked: string): void {
    const name = asked || DEFAULT_SIGNATURE;
    if (name === this.manifest.source.signature) return;
    throw new StatusError(status.FAILED_PRECONDITION, `Serving signature key "${name}" not found.`);
  }

  /**
   * Finds the one input in a request.
   *
   * @throws StatusError INVALID_ARGUMENT when it is missing, not alone or of another name
   */
  input(inputs: PredictRequest['inputs']): { alias: string; tensor: TensorProto } {
    const [found, ...others] = Object.entries(inputs);
    const expected = this.manifest.inputs.map(({ name }) => name);
    if (!found || others.length > 0) throw wrongNumberOfInputs(Object.keys(inputs), expected);
    const [alias, tensor] = found;
    if (!this.manifest.inputs.some((input) => isNamed(input, alias))) {
      const set = `{${expected.join(',')}}`;
      throw invalidArgument(
        `input tensor alias not found in signature: ${alias}. Inputs expected to be in the set ${set}.`,
      );
    }
    return { alias, tensor };
  }

  /**
   * The outputs to answer, each under the name that the caller used; all of them when `filter` is empty.
   *
   * @throws StatusError INVALID_ARGUMENT when one is unknown or asked for twice
   */
  outputs(filter: string[]): Map<string, Output> {
    const all = this.manifest.outputs;
    if (filter.length === 0) return new Map(all.map((output) => [output.name, output]));
    const asked = new Map<string, Output>();
    for (const alias of filter) {
      const output = all.find((candidate) => isNamed(candidate, alias));
      if (!output) {
        const set = `{${all.map(({ name }) => name).join(',')}}`;
        throw invalidArgument(
          `output tensor alias not found in signature: ${alias} Outputs expected to be in the set ${set}.`,
        );
      }
      if ([...asked.values()].includes(output)) throw invalidArgument(`duplicate output tensor alias: ${alias}`);
      asked.set(alias, output);
    }
    return asked;
  }

  /** The signature as GetModelMetadata answers it. */
  describe(): Record<string, Draft<SignatureDef>> {
    const { source, inputs, outputs } = this.manifest;
    return {
      [source.signature]: {
        inputs: Object.fromEntries(inputs.map((input) => [input.name, tensorInfo(input)])),
        outputs: Object.fromEntries(outputs.map((output) => [output.name, tensorInfo(output)])),
        method_name: 'tensorflow/serving/predict',
      },
    };
  }
}

/**
 * Checks that a request is for the model that this server has.
 *
 * @throws StatusError INVALID_ARGUMENT without a model name, NOT_FOUND for another model or version
 */
export function requireModel(asked: ModelSpec | null, served: { name: string; version: number }): ModelSpec {
  if (!asked) throw invalidArgument('Missing ModelSpec');
  if (!asked.name) throw invalidArgument('ModelSpec has no name specified.');
  if (asked.version_choice === 'version_label') {
    throw invalidArgument(`Unrecognized servable version label: ${asked.version_label}`);
  }
  const version = asked.version?.value;
  if (asked.name === served.name && (version === undefined || version === served.version)) return asked;
  const servable = version === undefined ? `Latest(${asked.name})` : `Specific(${asked.name}, ${version})`;
  throw new StatusError(status.NOT_FOUND, `Servable not found for request: ${servable}`);
}

function isNamed(tensor: { name: string; tensor: string }, asked: string): boolean {
  const name = withoutPort(asked);
  return asked === tensor.name || name === tensor.name || name === withoutPort(tensor.tensor);
}

/** A graph's tensor name without the number of the op's output, when that is the first: `op:0` is `op`. */
const withoutPort = (tensor: string) => tensor.replace(/:0$/, '');

function tensorInfo({ tensor, dtype, shape }: { tensor: string; dtype: string; shape: number[] }): Draft<TensorInfo> {
  return { name: tensor, dtype, tensor_shape: { dim: shape.map((size) => ({ size })) } };
}

function wrongNumberOfInputs(sent: string[], expected: string[]): StatusError {
  const list = (names: string[]) => `{${[...names].sort().join(',')}}`;
  const extra = sent.filter((name) => !expected.includes(name));
  const missing = expected.filter((name) => !sent.includes(name));
  return invalidArgument(
    `input size does not match signature: ${sent.length}!=${expected.length} len(${list(sent)}) != len(${list(expected)}). ` +
      `Sent extra: ${list(extra)}. Missing but required: ${list(missing)}.`,
  );
}
