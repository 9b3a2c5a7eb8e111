import { status } from '@grpc/grpc-js';

import type { ConvertedModelManifest } from '../../deployment/converted-model.js';
import type { Draft, PredictRequest, SignatureDef, TensorInfo, TensorProto } from '../protos/messages.js';
import { invalidArgument, StatusError } from './status-error.js';

export type ModelInput = ConvertedModelManifest['inputs'][number];
export type ModelOutput = ConvertedModelManifest['outputs'][number];

const DEFAULT_SIGNATURE = 'serving_default';

/**
 * The SavedModel's signature, kept by the converted model. Codes and texts of its refusals are TensorFlow Serving's
 * (servables/tensorflow/predict_util.cc). Beyond TensorFlow Serving, a tensor may be named by its key or by its name in the
 * graph, each with or without `:0`, as clients of 2019 did.
 */
export class Signature {
  constructor(private readonly manifest: ConvertedModelManifest) {}

  get name(): string {
    return this.manifest.source.signature;
  }

  /** The input of a request that does not name one; a converted model has exactly one. */
  get firstInput(): ModelInput {
    const [input] = this.manifest.inputs;
    if (!input) throw new Error('the model has no input');
    return input;
  }

  /** @throws StatusError FAILED_PRECONDITION when the request asks for a signature that the model does not have */
  require(asked: string): void {
    const name = asked || DEFAULT_SIGNATURE;
    if (name === this.name) return;
    throw new StatusError(status.FAILED_PRECONDITION, `Serving signature key "${name}" not found.`);
  }

  /**
   * Finds the one input in a request.
   *
   * @throws StatusError INVALID_ARGUMENT when it is missing, not alone or of another name
   */
  input(inputs: PredictRequest['inputs']): { alias: string; tensor: TensorProto; input: ModelInput } {
    const [found, ...others] = Object.entries(inputs);
    const expected = this.manifest.inputs.map(({ name }) => name);
    if (!found || others.length > 0) throw wrongNumberOfInputs(Object.keys(inputs), expected);
    const [alias, tensor] = found;
    const input = this.manifest.inputs.find((candidate) => isNamed(candidate, alias));
    if (!input) {
      const set = `{${expected.join(',')}}`;
      throw invalidArgument(
        `input tensor alias not found in signature: ${alias}. Inputs expected to be in the set ${set}.`,
      );
    }
    return { alias, tensor, input };
  }

  /**
   * The outputs to answer, each under the name that the caller used; all of them when `filter` is empty.
   *
   * @throws StatusError INVALID_ARGUMENT when one is unknown or asked for twice
   */
  outputs(filter: string[]): Map<string, ModelOutput> {
    const all = this.manifest.outputs;
    if (filter.length === 0) return new Map(all.map((output) => [output.name, output]));
    const asked = new Map<string, ModelOutput>();
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
