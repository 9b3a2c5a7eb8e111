import { Metadata, status, type handleUnaryCall, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import type { Logger } from 'pino';

import { packSignatures } from '../protos/prediction-service.js';
import type {
  Draft,
  GetModelMetadataRequest,
  GetModelMetadataResponse,
  PredictRequest,
  PredictResponse,
  TensorProto,
} from '../protos/messages.js';
import type { ModelDirectory } from './model-directory.js';
import type { Scorer, Scores } from './scorer.js';
import { requireModel, Signature } from './signature.js';
import { invalidArgument, StatusError } from './status-error.js';
import { readStrings, toTensorProto } from './tensors.js';

/** Initial metadata of every answer: digest of the converted model, so that a caller knows which one answered. */
const MODEL_DIGEST_METADATA = 'slipway-model-digest';

export interface PredictionHandlersOptions {
  served: { name: string; version: number };
  model: ModelDirectory;
  scorer: Scorer;
  log: Logger;
}

/** The handlers of PredictionService. Failures the caller is not to blame for are logged; the others only answered. */
export function predictionHandlers({ served, model, scorer, log }: PredictionHandlersOptions) {
  const signature = new Signature(model.manifest);

  async function predict(request: PredictRequest, signal: AbortSignal): Promise<Draft<PredictResponse>> {
    const asked = requireModel(request.model_spec, served);
    signature.require(asked.signature_name);
    const { alias, tensor } = signature.input(request.inputs);
    const outputs = signature.outputs(request.output_filter);
    const images = readStrings(alias, tensor);
    const scores = images.length > 0 ? await scorer.score(images, signal) : noRows(model);
    const answers: Record<string, Draft<TensorProto>> = {};
    for (const [name, output] of outputs) {
      const rows = scores.find((candidate) => candidate.name === output.name);
      if (rows) answers[name] = toTensorProto(output.dtype, rows);
    }
    const signature_name = model.manifest.source.signature;
    return { outputs: answers, model_spec: { ...modelSpec(served), signature_name } };
  }

  function getModelMetadata(request: GetModelMetadataRequest): Draft<GetModelMetadataResponse> {
    requireModel(request.model_spec, served);
    if (request.metadata_field.length === 0) {
      throw invalidArgument('GetModelMetadataRequest must specify at least one metadata_field');
    }
    const unknown = request.metadata_field.find((field) => field !== 'signature_def');
    if (unknown !== undefined) throw invalidArgument(`Metadata field ${unknown} is not supported`);
    const metadata = { signature_def: packSignatures({ signature_def: signature.describe() }) };
    return { model_spec: modelSpec(served), metadata };
  }

  const answer = unary(model.digest, log);
  return { Predict: answer(predict), GetModelMetadata: answer(getModelMetadata) };
}

const modelSpec = ({ name, version }: { name: string; version: number }) => ({ name, version: { value: version } });

/** The answer to an empty batch: outputs of their usual shape without rows, as TensorFlow gives them. */
function noRows({ manifest }: ModelDirectory): Scores {
  return manifest.outputs.map(({ name, shape }) => ({ name, shape: [0, ...shape.slice(1)], bytes: new Uint8Array() }));
}

/** Makes a gRPC handler of a function that answers or throws. */
function unary(digest: string, log: Logger) {
  return <Request, Response>(
    handle: (request: Request, signal: AbortSignal) => Response | Promise<Response>,
  ): handleUnaryCall<Request, Response> => {
    const run = async (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>) => {
      const abort = new AbortController();
      call.on('cancelled', () => abort.abort());
      const metadata = new Metadata();
      metadata.set(MODEL_DIGEST_METADATA, digest);
      call.sendMetadata(metadata);
      try {
        callback(null, await handle(call.request, abort.signal));
      } catch (error) {
        callback(statusOf(error, log));
      }
    };
    return (call, callback) => void run(call, callback);
  };
}

function statusOf(error: unknown, log: Logger): { code: status; details: string } {
  const failure = error instanceof StatusError ? error : new StatusError(status.INTERNAL, String(error));
  if (failure.code === status.INTERNAL) log.error({ err: error }, 'a call failed');
  return { code: failure.code, details: failure.message };
}
