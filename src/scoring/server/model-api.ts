import type {
  Draft,
  GetModelMetadataRequest,
  GetModelMetadataResponse,
  GetModelStatusRequest,
  GetModelStatusResponse,
  PredictRequest,
  PredictResponse,
  TensorProto,
} from '../protos/messages.js';
import { packSignatures } from '../protos/services.js';
import type { Batch } from './batch.js';
import type { ModelDirectory } from './model-directory.js';
import { isNumberType, readNumbers } from './number-tensors.js';
import type { Scorer, Scores } from './scorer.js';
import { requireModel, versionStatus, type ServedModel } from './served-model.js';
import { Signature, type ModelInput } from './signature.js';
import { invalidArgument } from './status-error.js';
import { readStrings } from './string-tensors.js';
import { toTensorProto } from './tensors.js';

/** TensorFlow Serving's API of one model, whatever brings the requests. Every method throws StatusError. */
export class ModelApi {
  readonly signature: Signature;

  constructor(
    readonly served: ServedModel,
    private readonly model: ModelDirectory,
    private readonly scorer: Scorer,
  ) {
    this.signature = new Signature(model.manifest);
  }

  /** Digest of the converted model, which every answer carries. */
  get digest(): string {
    return this.model.digest;
  }

  /** @param signal aborts when nobody waits for the answer any more */
  async predict(request: PredictRequest, signal: AbortSignal): Promise<Draft<PredictResponse>> {
    const asked = requireModel(request.model_spec, this.served);
    this.signature.require(asked.signature_name);
    const { alias, tensor, input } = this.signature.input(request.inputs);
    const outputs = this.signature.outputs(request.output_filter);
    const batch = readBatch(alias, tensor, input);
    const scores = batch.rows.length > 0 ? await this.scorer.score(batch, signal) : this.noRows();
    const answers: Record<string, Draft<TensorProto>> = {};
    for (const [name, output] of outputs) {
      const rows = scores.find((candidate) => candidate.name === output.name);
      if (rows) answers[name] = toTensorProto(output.dtype, rows);
    }
    return { outputs: answers, model_spec: { ...this.modelSpec(), signature_name: this.signature.name } };
  }

  getModelMetadata(request: GetModelMetadataRequest): Draft<GetModelMetadataResponse> {
    requireModel(request.model_spec, this.served);
    if (request.metadata_field.length === 0) {
      throw invalidArgument('GetModelMetadataRequest must specify at least one metadata_field');
    }
    const unknown = request.metadata_field.find((field) => field !== 'signature_def');
    if (unknown !== undefined) throw invalidArgument(`Metadata field ${unknown} is not supported`);
    const metadata = { signature_def: packSignatures({ signature_def: this.signature.describe() }) };
    return { model_spec: this.modelSpec(), metadata };
  }

  getModelStatus(request: GetModelStatusRequest): Draft<GetModelStatusResponse> {
    return { model_version_status: versionStatus(request.model_spec, this.served) };
  }

  private modelSpec() {
    return { name: this.served.name, version: { value: this.served.version } };
  }

  /** The answer to an empty batch: outputs of their usual shape without rows, as TensorFlow gives them. */
  private noRows(): Scores {
    return this.model.manifest.outputs.map(({ name, shape }) => ({
      name,
      shape: [0, ...shape.slice(1)],
      bytes: new Uint8Array(),
    }));
  }
}

function readBatch(alias: string, tensor: TensorProto, { dtype, shape }: ModelInput): Batch {
  if (isNumberType(dtype)) return readNumbers(alias, tensor, dtype, shape);
  return { rows: readStrings(alias, tensor, shape) };
}
