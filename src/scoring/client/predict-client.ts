import { connectivityState, Metadata, status, type Client, type ServiceError } from '@grpc/grpc-js';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Method } from '../protos/definitions.js';
import type { Draft, ModelSpec } from '../protos/messages.js';
import { predictionService } from '../protos/services.js';
import { addressesOf, openChannel, type ServerOptions } from './channel.js';
import { connectionProblem, type ConnectionProblem } from './connection-problem.js';
import { DEFAULT_TIMEOUT_MS, RETRY_WAITS_MS } from './limits.js';
import { answeringModel, readMetadata, type AnsweringModel, type ModelMetadata } from './model-metadata.js';
import { PredictError } from './predict-error.js';
import { mayPass } from './retry.js';
import { scoreFiles, type FileOptions, type FileScore } from './score-files.js';
import { imagesTensor, readFloats, type FloatTensor, type TensorType } from './tensors.js';

export interface PredictClientOptions extends ServerOptions {
  /** Name of the model, for calls that do not give one. */
  model?: string | undefined;
  /** Scoring key, sent as `authorization: Bearer KEY`. */
  key?: string | undefined;
  /** Pauses before further attempts of a call, in milliseconds; default: 1, 2, 4 and 8 s. */
  retryWaitsMs?: readonly number[] | undefined;
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

export interface Prediction {
  /** By the name that was asked for; `shape[0]` is the number of images. */
  outputs: Record<string, FloatTensor>;
  /** Digest of the converted model that answered, when the server is Slipway's. */
  modelDigest: string | undefined;
  model: AnsweringModel;
}

/**
 * A client of TensorFlow Serving's PredictionService. A call is attempted five times, 1, 2, 4 and 8 s apart, while its failure
 * may pass ({@link mayPass}) and its time is not over. What another attempt cannot mend, such as a certificate that is not
 * trusted, is told at once.
 */
export class PredictClient {
  private constructor(
    private readonly client: Client,
    private readonly options: PredictClientOptions,
  ) {}

  /**
   * Makes a client; it connects with the first call. Close it when done.
   *
   * @throws PredictError INVALID_ARGUMENT for addresses or certificates that cannot be used
   */
  static connect(options: PredictClientOptions): PredictClient {
    return new PredictClient(openChannel(options), options);
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
    return readMetadata(response, modelDigest);
  }

  /**
   * Scores the image in a file.
   *
   * @throws PredictError; Node's own error when the file cannot be read
   */
  async scoreFile(file: string, options: FileOptions = {}): Promise<FileScore> {
    const [score] = await scoreFiles(this, [file], options);
    if (score === undefined) throw new PredictError('DATA_LOSS', `no answer for ${file}`);
    return score;
  }

  /** See {@link scoreFiles}. */
  scoreFiles(files: readonly string[], options: FileOptions = {}): Promise<FileScore[]> {
    return scoreFiles(this, files, options);
  }

  /**
   * Key of the model's input, which takes images as strings.
   *
   * @throws PredictError FAILED_PRECONDITION when it takes something else, with what that is
   */
  async imageInput(options: CallOptions = {}): Promise<string> {
    const { signatures } = await this.metadata(options);
    const [signature] = Object.values(signatures);
    const [[name, input] = []] = Object.entries(signature?.inputs ?? {});
    if (name === undefined || input === undefined) {
      throw new PredictError('DATA_LOSS', 'the model names no input');
    }
    if (input.dtype === 'DT_STRING') return name;
    const reason = `the model takes no photos: its input ${name} is ${input.dtype} of shape [${input.shape.join(', ')}]`;
    throw new PredictError('FAILED_PRECONDITION', reason);
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
    const { retryWaitsMs: waits = RETRY_WAITS_MS } = this.options;
    const deadline = Date.now() + timeoutMs;
    let before: ServiceError | undefined;
    for (let attempt = 0; ; attempt++) {
      signal?.throwIfAborted();
      const outcome = await this.tryOnce(method, request, deadline, signal);
      if ('response' in outcome) return outcome;
      signal?.throwIfAborted();
      const { error } = outcome;
      const problem = await this.problemOf(error);
      const pause = problem?.lasting || !mayPass(error) ? undefined : waits[attempt];
      if (pause === undefined || Date.now() + pause >= deadline) throw this.failure(error, before, problem, timeoutMs);
      before = error;
      await sleep(pause, undefined, signal ? { signal } : {}).catch(() => signal?.throwIfAborted());
    }
  }

  /** Why a call did not come as far as a server; undefined when it did. */
  private async problemOf({ code }: ServiceError): Promise<ConnectionProblem | undefined> {
    if (code !== status.UNAVAILABLE || this.connected) return undefined;
    const { address, tls } = this.options;
    const problems = await Promise.all(addressesOf(address).map((each) => connectionProblem(each, tls)));
    return problems.find((problem) => problem?.lasting) ?? problems.find((problem) => problem !== undefined);
  }

  private get connected(): boolean {
    return this.client.getChannel().getConnectivityState(false) === connectivityState.READY;
  }

  private failure(
    error: ServiceError,
    before: ServiceError | undefined,
    problem: ConnectionProblem | undefined,
    timeoutMs: number,
  ): PredictError {
    const address = addressesOf(this.options.address).join(', ');
    if (problem) return new PredictError('UNAVAILABLE', `${address}: ${problem.message}`, { cause: error, problem });
    if (error.code !== status.DEADLINE_EXCEEDED || this.connected || before) return PredictError.from(error, before);
    // What gRPC says then is about its load balancer, not about the address.
    const reason = `no connection to ${address} within ${timeoutMs / 1000} s`;
    return new PredictError('DEADLINE_EXCEEDED', reason, { cause: error });
  }

  private tryOnce<Request, Response>(
    method: Method<Request, Response>,
    request: Draft<Request>,
    deadline: number,
    signal: AbortSignal | undefined,
  ): Promise<Answer<Response> | { error: ServiceError }> {
    const metadata = new Metadata();
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
