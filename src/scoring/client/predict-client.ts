import { Client, connectivityState, credentials, Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Draft, ModelSpec, SignatureDef, TensorInfo } from '../protos/messages.js';
import type { Method } from '../protos/definitions.js';
import { predictionService, unpackSignatures } from '../protos/services.js';
import {
  DEFAULT_TIMEOUT_MS,
  KEEPALIVE_MS,
  KEEPALIVE_TIMEOUT_MS,
  MAX_MESSAGE_BYTES,
  RETRY_BACKOFF_MS,
} from './limits.js';
import { PredictError } from './predict-error.js';
import { imagesTensor, readFloats, type FloatTensor, type TensorType } from './tensors.js';

export interface PredictClientOptions {
  /** `host:port`, or any other name that gRPC resolves, such as `unix:/path`. */
  address: string;
  /** Name of the model, for calls that do not give one. */
  model?: string | undefined;
  /** PEM of the authority that signed the server's certificate. With it the connection is TLS, without it plain. */
  root?: string | Buffer | undefined;
  /** Name to expect in the server's certificate when it is not the address's host. */
  serverName?: string | undefined;
  /** Scoring key, sent as `authorization: Bearer KEY`. */
  key?: string | undefined;
}

/** What every call may say. */
export interface CallOptions {
  model?: string | undefined;
  /** A version that must answer; the latest one otherwise. */
  version?: number | undefined;
  /** Time for the whole call, waiting for the server and retries included. */
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

export interface PredictOptions extends CallOptions {
  /** The input's key in the signature, or its name in the graph, with or without `:0`. */
  input: string;
  /** Outputs to answer, named like the input; all when left out. */
  outputs?: string[] | undefined;
  /** Encoded images; where `tensor` is given, rows of it. */
  images: readonly Uint8Array[];
  /** For a model that takes tensors in place of encoded images. */
  tensor?: TensorType | undefined;
}

export interface AnsweringModel {
  name: string;
  version: number | undefined;
}

export interface Prediction {
  /** By the name that was asked for; `shape[0]` is the number of images. */
  outputs: Record<string, FloatTensor>;
  /** Digest of the converted model that answered, when the server is Slipway's. */
  modelDigest: string | undefined;
  model: AnsweringModel;
}

export interface ModelMetadata {
  signatures: Record<string, { inputs: Record<string, TensorDescription>; outputs: Record<string, TensorDescription> }>;
  modelDigest: string | undefined;
  model: AnsweringModel;
}

export interface TensorDescription {
  /** Name in the graph. */
  tensor: string;
  dtype: string;
  /** -1 stands for a dimension that is not fixed. */
  shape: number[];
}

/**
 * A client of TensorFlow Serving's PredictionService. A call waits for the server to come up and is repeated while the server
 * answers UNAVAILABLE, until its time is over; scoring changes nothing, so repeating it is harmless.
 */
export class PredictClient {
  private constructor(
    private readonly client: Client,
    private readonly options: PredictClientOptions,
  ) {}

  /** Makes a client; it connects with the first call. Close it when done. */
  static connect(options: PredictClientOptions): PredictClient {
    const { address, root, serverName } = options;
    const secured = root === undefined ? credentials.createInsecure() : credentials.createSsl(Buffer.from(root));
    const client = new Client(address, secured, {
      'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
      'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
      'grpc.keepalive_time_ms': KEEPALIVE_MS,
      'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
      'grpc.keepalive_permit_without_calls': 1,
      'grpc.initial_reconnect_backoff_ms': RETRY_BACKOFF_MS.first,
      'grpc.max_reconnect_backoff_ms': RETRY_BACKOFF_MS.longest,
      // A connection of its own: an address may stand for another server a moment later (a forwarded port).
      'grpc.use_local_subchannel_pool': 1,
      ...(serverName === undefined
        ? {}
        : { 'grpc.ssl_target_name_override': serverName, 'grpc.default_authority': serverName }),
    });
    return new PredictClient(client, options);
  }

  /**
   * Scores images.
   *
   * @throws PredictError
   */
  async predict(options: PredictOptions): Promise<Prediction> {
    const request = {
      model_spec: this.modelSpec(options),
      inputs: { [options.input]: imagesTensor(options.images, options.tensor) },
      output_filter: options.outputs ?? [],
    };
    const { response, modelDigest } = await this.call(predictionService.Predict, request, options);
    const outputs = Object.entries(response.outputs).map(([name, tensor]) => [name, readFloats(name, tensor)] as const);
    return { outputs: Object.fromEntries(outputs), modelDigest, model: answeringModel(response.model_spec) };
  }

  /**
   * Asks for the model's signatures.
   *
   * @throws PredictError
   */
  async metadata(options: CallOptions = {}): Promise<ModelMetadata> {
    const request = { model_spec: this.modelSpec(options), metadata_field: ['signature_def'] };
    const { response, modelDigest } = await this.call(predictionService.GetModelMetadata, request, options);
    const packed = response.metadata.signature_def;
    const { signature_def } = packed ? unpackSignatures(packed) : { signature_def: {} };
    const signatures = Object.entries(signature_def).map(([name, signature]) => [name, describe(signature)] as const);
    return {
      signatures: Object.fromEntries(signatures),
      modelDigest,
      model: answeringModel(response.model_spec),
    };
  }

  /** Ends the connection. */
  close(): void {
    this.client.close();
  }

  private modelSpec({ model, version }: CallOptions): Draft<ModelSpec> {
    const name = model ?? this.options.model;
    if (!name)
      throw new PredictError('INVALID_ARGUMENT', 'the name of the model is needed, for the client or for the call');
    return version === undefined ? { name } : { name, version: { value: version } };
  }

  private async call<Request, Response>(
    method: Method<Request, Response>,
    request: Draft<Request>,
    { timeoutMs = DEFAULT_TIMEOUT_MS, signal }: CallOptions,
  ): Promise<Answer<Response>> {
    const deadline = Date.now() + timeoutMs;
    let pause = RETRY_BACKOFF_MS.first;
    let before: ServiceError | undefined;
    for (;;) {
      signal?.throwIfAborted();
      const outcome = await this.tryOnce(method, request, deadline, signal);
      if ('response' in outcome) return outcome;
      signal?.throwIfAborted();
      if (outcome.error.code !== status.UNAVAILABLE || Date.now() + pause >= deadline) {
        throw this.failure(outcome.error, before, timeoutMs);
      }
      before = outcome.error;
      await sleep(pause, undefined, signal ? { signal } : {}).catch(() => signal?.throwIfAborted());
      pause = Math.min(pause * 2, RETRY_BACKOFF_MS.longest);
    }
  }

  private failure(error: ServiceError, before: ServiceError | undefined, timeoutMs: number): PredictError {
    const connected = this.client.getChannel().getConnectivityState(false) === connectivityState.READY;
    if (error.code !== status.DEADLINE_EXCEEDED || connected || before) return PredictError.from(error, before);
    // What gRPC says then is about its load balancer, not about the address.
    const reason = `no connection to ${this.options.address} within ${timeoutMs / 1000} s`;
    return new PredictError('DEADLINE_EXCEEDED', reason, { cause: error });
  }

  private tryOnce<Request, Response>(
    method: Method<Request, Response>,
    request: Draft<Request>,
    deadline: number,
    signal: AbortSignal | undefined,
  ): Promise<Answer<Response> | { error: ServiceError }> {
    const metadata = new Metadata({ waitForReady: true });
    if (this.options.key !== undefined) metadata.set('authorization', `Bearer ${this.options.key}`);
    return new Promise((resolve) => {
      let modelDigest: string | undefined;
      const call = this.client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        metadata,
        { deadline },
        (error, response) => {
          signal?.removeEventListener('abort', cancel);
          if (error) resolve({ error });
          else if (response) resolve({ response, modelDigest });
        },
      );
      const cancel = () => call.cancel();
      call.on('metadata', (initial: Metadata) => (modelDigest = initial.get('slipway-model-digest')[0]?.toString()));
      signal?.addEventListener('abort', cancel);
    });
  }
}

interface Answer<Response> {
  response: Response;
  modelDigest: string | undefined;
}

function answeringModel(spec: ModelSpec | null): AnsweringModel {
  return { name: spec?.name ?? '', version: spec?.version?.value };
}

function describe({ inputs, outputs }: SignatureDef) {
  const all = (tensors: Record<string, TensorInfo>) =>
    Object.fromEntries(Object.entries(tensors).map(([name, info]) => [name, describeTensor(info)]));
  return { inputs: all(inputs), outputs: all(outputs) };
}

function describeTensor({ name, dtype, tensor_shape }: TensorInfo): TensorDescription {
  return { tensor: name, dtype: String(dtype), shape: tensor_shape?.dim.map(({ size }) => size) ?? [] };
}
