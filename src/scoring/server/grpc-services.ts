import { Metadata, status, type handleUnaryCall, type Server } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation } from 'grpc-health-check';
import type { Logger } from 'pino';

import { definitions } from '../protos/definitions.js';
import type { GetModelMetadataRequest, GetModelStatusRequest, PredictRequest } from '../protos/messages.js';
import { modelService, predictionService, RETRY_PUSHBACK_METADATA } from '../protos/services.js';
import type { Metrics } from './metrics.js';
import type { ModelApi } from './model-api.js';
import { CALL_OVER, StatusError } from './status-error.js';

/** Initial metadata of every answer: digest of the converted model, so that a caller knows which one answered. */
export const MODEL_DIGEST_METADATA = 'slipway-model-digest';

/** The names that clients of gRPC's health service ask for; the short ones are TensorFlow Serving's. */
const HEALTH_NAMES = [
  '',
  'PredictionService',
  'ModelService',
  'tensorflow.serving.PredictionService',
  'tensorflow.serving.ModelService',
];

export interface GrpcServicesOptions {
  api: ModelApi;
  metrics: Metrics;
  log: Logger;
}

/** Adds PredictionService, ModelService, health and reflection to a server. */
export function addServices(server: Server, options: GrpcServicesOptions): { stopServing(): void } {
  const { api } = options;
  const answer = answers(options);
  const unsupported = (method: string, why: string) =>
    answer(method, () => {
      throw new StatusError(status.UNIMPLEMENTED, `${method} is not supported: ${why}`);
    });
  const noExamples = 'the model takes images, not tf.Example; call Predict';
  server.addService(predictionService, {
    Predict: answer('Predict', (request: PredictRequest, signal) => api.predict(request, signal)),
    GetModelMetadata: answer('GetModelMetadata', (request: GetModelMetadataRequest) => api.getModelMetadata(request)),
    Classify: unsupported('Classify', noExamples),
    Regress: unsupported('Regress', noExamples),
    MultiInference: unsupported('MultiInference', noExamples),
  });
  server.addService(modelService, {
    GetModelStatus: answer('GetModelStatus', (request: GetModelStatusRequest) => api.getModelStatus(request)),
    HandleReloadConfigRequest: unsupported(
      'HandleReloadConfigRequest',
      'a server has one model for as long as it runs; deploy another version',
    ),
  });
  const health = new HealthImplementation(Object.fromEntries(HEALTH_NAMES.map((name) => [name, 'SERVING'])));
  health.addToServer(server);
  new ReflectionService(definitions).addToServer(server);
  return { stopServing: () => HEALTH_NAMES.forEach((name) => health.setStatus(name, 'NOT_SERVING')) };
}

/** Makes gRPC handlers of functions that answer or throw. Failures the caller is not to blame for are logged. */
function answers({ api, metrics, log }: GrpcServicesOptions) {
  const metadata = new Metadata();
  metadata.set(MODEL_DIGEST_METADATA, api.digest);
  return <Request, Response>(
      method: string,
      handle: (request: Request, signal: AbortSignal) => Response | Promise<Response>,
    ): handleUnaryCall<Request, Response> =>
    (call, callback) => {
      const started = performance.now();
      const count = (code: status) => metrics.countCall('grpc', method, code, performance.now() - started);
      const abort = new AbortController();
      call.on('cancelled', () => abort.abort(CALL_OVER));
      // With the answer and not before it, so that both leave in one write and wake the caller once.
      const send: typeof callback = (...answer) => {
        call.sendMetadata(metadata.clone());
        callback(...answer);
      };
      Promise.resolve()
        .then(() => handle(call.request, abort.signal))
        .then(
          (response) => {
            count(status.OK);
            send(null, response);
          },
          (error: unknown) => {
            const failure = StatusError.from(error);
            if (failure.code === status.INTERNAL) log.error({ err: error }, 'a call failed');
            count(failure.code);
            send({ code: failure.code, details: failure.message, metadata: trailers(failure) });
          },
        )
        .catch((error: unknown) => log.error({ err: error }, 'an answer could not be sent'));
    };
}

function trailers({ retryAfterMs }: StatusError): Metadata {
  const metadata = new Metadata();
  if (retryAfterMs !== undefined) metadata.set(RETRY_PUSHBACK_METADATA, String(retryAfterMs));
  return metadata;
}
