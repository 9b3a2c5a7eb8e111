import { status } from '@grpc/grpc-js';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';

import type { ModelSpec, SignatureDef, Draft, TensorInfo } from '../protos/messages.js';
import { KEY_REQUIRED, type ScoringKeys } from './authentication.js';
import { MODEL_DIGEST_METADATA } from './grpc-services.js';
import { readBody } from './http-body.js';
import { readJsonPredict, writeJsonPredict } from './json-predict.js';
import type { Json } from './json-tensors.js';
import type { Metrics } from './metrics.js';
import type { ModelApi } from './model-api.js';
import { requireModel } from './served-model.js';
import { CALL_OVER, invalidArgument, StatusError } from './status-error.js';

/** What the path of TensorFlow Serving's REST API says (model_servers/http_rest_api_handler.cc). */
const MODEL_PATH = /^\/v1\/models\/([^/:]+)(?:\/versions\/(\d+)|\/labels\/([^/:]+))?(?::(\w+)|\/(metadata))?$/i;

/** HTTP status of each gRPC code, as TensorFlow Serving maps them (model_servers/http_server.cc). */
const HTTP_STATUS: Partial<Record<status, number>> = {
  [status.OK]: 200,
  [status.CANCELLED]: 499,
  [status.INVALID_ARGUMENT]: 400,
  [status.DEADLINE_EXCEEDED]: 504,
  [status.NOT_FOUND]: 404,
  [status.FAILED_PRECONDITION]: 400,
  [status.RESOURCE_EXHAUSTED]: 429,
  [status.UNIMPLEMENTED]: 501,
  [status.UNAVAILABLE]: 503,
  [status.UNAUTHENTICATED]: 401,
};

export interface RestApiOptions {
  api: ModelApi;
  keys: ScoringKeys | undefined;
  metrics: Metrics;
  log: Logger;
  /** A connection that has been used for so long is ended with its next answer. */
  maxConnectionAgeSeconds: number;
}

/** TensorFlow Serving's REST API of the model. */
export class RestApi {
  private readonly running = new Set<Promise<void>>();
  /** When the first call of each connection came, in milliseconds. */
  private readonly since = new WeakMap<Socket, number>();
  private closing = false;

  constructor(private readonly options: RestApiOptions) {}

  /** Answers one request whose path begins with `/v1/`. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    const run = this.respond(request, response).finally(() => this.running.delete(run));
    this.running.add(run);
  }

  /** Refuses new requests; resolves when the running ones are answered. */
  async close(): Promise<void> {
    this.closing = true;
    await Promise.all(this.running);
  }

  private async respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { api, metrics, log } = this.options;
    const started = performance.now();
    const path = request.url?.split('?')[0] ?? '';
    const method = /:(\w+)$/.exec(path)?.[1] ?? (path.endsWith('/metadata') ? 'metadata' : 'status');
    const abort = new AbortController();
    response.on('close', () => abort.abort(CALL_OVER));
    let code = status.OK;
    let retryAfterMs: number | undefined;
    let body: Json;
    try {
      body = await this.answer(request, path, abort.signal);
    } catch (error) {
      const failure = StatusError.from(error);
      ({ code, retryAfterMs } = failure);
      if (code === status.INTERNAL) log.error({ err: error }, 'a REST call failed');
      body = { error: failure.message };
    }
    metrics.countCall('rest', METHODS.has(method) ? method : 'unknown', code, performance.now() - started);
    response.writeHead(HTTP_STATUS[code] ?? 500, {
      'content-type': 'application/json',
      [MODEL_DIGEST_METADATA]: api.digest,
      ...(retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) }),
      ...(this.endsConnection(request, started) ? { connection: 'close' } : {}),
    });
    response.end(`${JSON.stringify(body, undefined, 1)}\n`);
  }

  private endsConnection({ socket, complete }: IncomingMessage, now: number): boolean {
    const since = this.since.get(socket) ?? now;
    this.since.set(socket, since);
    // A body that was not read to its end is in the way of the next request.
    return this.closing || !complete || now - since > this.options.maxConnectionAgeSeconds * 1000;
  }

  private async answer(request: IncomingMessage, path: string, signal: AbortSignal): Promise<Json> {
    const { api, keys } = this.options;
    if (this.closing) throw new StatusError(status.UNAVAILABLE, 'the server is stopping');
    if (keys && !keys.accept(request.headers.authorization)) {
      throw new StatusError(status.UNAUTHENTICATED, `header ${KEY_REQUIRED}`);
    }
    const { method = '' } = request;
    const [, name = '', version, label, action, metadata] = MODEL_PATH.exec(path) ?? [];
    const spec = modelSpec(decoded(name), version, label);
    if (name && method === 'POST' && action === 'predict') return this.predict(await readBody(request), spec, signal);
    if (name && method === 'POST' && (action === 'classify' || action === 'regress')) {
      throw new StatusError(status.UNIMPLEMENTED, `${action} is not supported: the model takes images, not tf.Example`);
    }
    if (name && method === 'GET' && metadata) return describeModel(api, spec);
    if (name && method === 'GET' && !action) return describeStatus(api, spec);
    throw invalidArgument(`Malformed request: ${method} ${path}`);
  }

  private async predict(body: Buffer, spec: ModelSpec, signal: AbortSignal): Promise<Json> {
    const { api } = this.options;
    const { format, signatureName, inputs } = readJsonPredict(body, api.signature.firstInput);
    const request = { model_spec: { ...spec, signature_name: signatureName }, inputs, output_filter: [] };
    return writeJsonPredict(await api.predict(request, signal), format);
  }
}

/** What a metric may show as the method: a caller could make up any. */
const METHODS = new Set(['predict', 'classify', 'regress', 'metadata', 'status']);

function modelSpec(name: string, version: string | undefined, label: string | undefined): ModelSpec {
  const spec = { name, signature_name: '' };
  if (label !== undefined) return { ...spec, version_choice: 'version_label', version_label: decoded(label) };
  return version === undefined ? spec : { ...spec, version_choice: 'version', version: { value: Number(version) } };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw invalidArgument(`Malformed request: ${part}`);
  }
}

/** As protobuf writes a GetModelStatusResponse: numbers of 64 bits are strings. */
function describeStatus(api: ModelApi, spec: ModelSpec): Json {
  const { model_version_status = [] } = api.getModelStatus({ model_spec: spec });
  return {
    model_version_status: model_version_status.map(({ version, state = 'UNKNOWN', status: health }) => ({
      version: String(version),
      state,
      status: { error_code: health?.error_code ?? 'OK', error_message: health?.error_message ?? '' },
    })),
  };
}

/** As protobuf writes a GetModelMetadataResponse. */
function describeModel(api: ModelApi, spec: ModelSpec): Json {
  requireModel(spec, api.served);
  const { name, version } = api.served;
  const signatures = Object.entries(api.signature.describe()).map(([key, signature]) => [key, describe(signature)]);
  return {
    model_spec: { name, signature_name: '', version: String(version) },
    metadata: { signature_def: { signature_def: Object.fromEntries(signatures) as Json } },
  };
}

function describe({ inputs = {}, outputs = {}, method_name = '' }: Draft<SignatureDef>): Json {
  const all = (tensors: Record<string, Draft<TensorInfo> | undefined>): Json =>
    Object.fromEntries(Object.entries(tensors).map(([name, info]) => [name, describeTensor(info ?? {})]));
  return { inputs: all(inputs), outputs: all(outputs), method_name };
}

function describeTensor({ name = '', dtype = '', tensor_shape }: Draft<TensorInfo>): Json {
  const dim = tensor_shape?.dim?.map((size) => ({ size: String(size?.size), name: '' })) ?? [];
  return { dtype, tensor_shape: { dim, unknown_rank: false }, name };
}
