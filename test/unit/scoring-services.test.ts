import { Client, credentials, status, type ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { once } from 'node:events';
import { connect, type Settings } from 'node:http2';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import type { Method } from '../../src/scoring/protos/definitions.js';
import type { Draft, ModelSpec } from '../../src/scoring/protos/messages.js';
import { modelService, predictionService } from '../../src/scoring/protos/services.js';
import { callUnary } from '../fixtures/grpc-call.js';
import { bundleScoringRuntime, ScoringProcess } from '../fixtures/scoring-server.js';

const require = createRequire(import.meta.url);

interface HealthMethods {
  Check: Method<{ service: string }, { status: string }>;
  Watch: Method<{ service: string }, { status: string }>;
}
interface ReflectionMethods {
  ServerReflectionInfo: Method<Record<string, string>, ReflectionResponse>;
}
interface ReflectionResponse {
  listServicesResponse?: { service: { name: string }[] } | null;
  fileDescriptorResponse?: { fileDescriptorProto: Buffer[] } | null;
}

/** A service of gRPC's own, from the package that serves it. */
function serviceOf<Methods>(packageName: string, directory: string, proto: string, name: string): Methods {
  const root = join(dirname(require.resolve(`${packageName}/package.json`)), directory);
  // proto-loader types every service alike; the .proto file has these methods.
  return loadSync(join(root, proto), { enums: String, defaults: true, oneofs: true })[name] as unknown as Methods;
}

const health = serviceOf<HealthMethods>(
  'grpc-health-check',
  'proto',
  'health/v1/health.proto',
  'grpc.health.v1.Health',
);

let runtime: Awaited<ReturnType<typeof bundleScoringRuntime>>;
let server: ScoringProcess;
let client: Client;

beforeAll(async () => {
  runtime = await bundleScoringRuntime();
  server = new ScoringProcess(runtime.app, { MODEL_VERSION_LABELS: 'stable,live', DRAIN_SECONDS: '3' });
  client = new Client(await server.address(), credentials.createInsecure());
});

afterAll(async () => {
  client?.close();
  await server?.kill();
  await runtime?.remove();
});

describe('a connection', () => {
  it('takes whole photos before the caller hears of the server', async () => {
    const connection = connect(`http://${await server.address()}`);
    onTestFinished(() => connection.destroy());
    const [settings] = (await once(connection, 'remoteSettings')) as [Settings];
    expect(settings.initialWindowSize).toBe(4 * 1024 * 1024);
    // What follows the settings has arrived once a ping is answered.
    await new Promise((resolve) => connection.ping(resolve));
    expect(connection.state.remoteWindowSize).toBe(16 * 1024 * 1024);
  });
});

describe('a version label', () => {
  it('stands for the version', async () => {
    const model_spec = { name: 'tiny', version_label: 'live' };
    const response = await callUnary(client, predictionService.GetModelMetadata, {
      model_spec,
      metadata_field: ['signature_def'],
    });
    expect(response.model_spec).toMatchObject({ name: 'tiny', version: { value: 3 } });
  });
});

describe('GetModelStatus', () => {
  it.each<[string, Draft<ModelSpec>]>([
    ['of all versions', { name: 'tiny' }],
    ['of the version', { name: 'tiny', version: { value: 3 } }],
    ['of a label', { name: 'tiny', version_label: 'stable' }],
  ])('%s', async (_, model_spec) => {
    const { model_version_status } = await callUnary(client, modelService.GetModelStatus, { model_spec });
    const good = { error_code: 'OK', error_message: '' };
    expect(model_version_status).toEqual([{ version: 3, state: 'AVAILABLE', status: good }]);
  });

  it.each<[string, Draft<ModelSpec> | undefined, status, string]>([
    ['another model', { name: 'x' }, status.NOT_FOUND, 'Could not find any versions of model x'],
    [
      'another version',
      { name: 'tiny', version: { value: 9 } },
      status.NOT_FOUND,
      'Could not find version 9 of model tiny',
    ],
    [
      'another label',
      { name: 'tiny', version_label: 'old' },
      status.INVALID_ARGUMENT,
      'Unrecognized servable version label: old',
    ],
    ['no model', undefined, status.INVALID_ARGUMENT, 'Missing ModelSpec'],
  ])('refuses %s as TensorFlow Serving does', async (_, model_spec, code, details) => {
    const call = callUnary(client, modelService.GetModelStatus, model_spec ? { model_spec } : {});
    await expect(call).rejects.toMatchObject({ code, details });
  });
});

describe('grpc.health.v1', () => {
  it.each(['', 'PredictionService', 'ModelService', 'tensorflow.serving.PredictionService'])(
    'serves "%s"',
    async (service) => {
      expect(await callUnary(client, health.Check, { service })).toEqual({ status: 'SERVING' });
    },
  );

  it('knows no other name', async () => {
    const call = callUnary(client, health.Check, { service: 'x' });
    await expect(call).rejects.toMatchObject({ code: status.NOT_FOUND });
  });

  it('tells who watches that the server drains', async () => {
    const draining = new ScoringProcess(runtime.app);
    onTestFinished(() => draining.kill());
    const watcher = new Client(await draining.address(), credentials.createInsecure());
    const { path, requestSerialize, responseDeserialize } = health.Watch;
    const seen: string[] = [];
    const stream = watcher.makeServerStreamRequest(path, requestSerialize, responseDeserialize, { service: '' });
    stream.on('data', (message: { status: string }) => seen.push(message.status));
    stream.on('error', (error: ServiceError) => seen.push(status[error.code] ?? ''));
    await expect.poll(() => seen).toEqual(['SERVING']);
    draining.signal('SIGTERM');
    await expect.poll(() => seen, { timeout: 5_000 }).toContain('NOT_SERVING');
    watcher.close();
  });
});

describe('reflection', () => {
  const proto = 'grpc/reflection/v1/reflection.proto';
  const { ServerReflectionInfo } = serviceOf<ReflectionMethods>(
    '@grpc/reflection',
    'build/proto',
    proto,
    'grpc.reflection.v1.ServerReflection',
  );

  function reflect(request: Record<string, string>): Promise<ReflectionResponse> {
    const { path, requestSerialize, responseDeserialize } = ServerReflectionInfo;
    const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    return new Promise((resolve, reject) => {
      stream.on('data', resolve);
      stream.on('error', reject);
      stream.write(request);
      stream.end();
    });
  }

  it('lists the services', async () => {
    const { listServicesResponse } = await reflect({ listServices: '*' });
    expect(listServicesResponse?.service.map(({ name }) => name).sort()).toEqual([
      'tensorflow.serving.ModelService',
      'tensorflow.serving.PredictionService',
    ]);
  });

  it('describes Predict so that a client can call it without .proto files', async () => {
    const { fileDescriptorResponse } = await reflect({ fileContainingSymbol: 'tensorflow.serving.PredictionService' });
    const files = fileDescriptorResponse?.fileDescriptorProto ?? [];
    const text = Buffer.concat(files).toString('latin1');
    for (const name of ['PredictRequest', 'output_filter', 'TensorProto', 'string_val']) expect(text).toContain(name);
  });
});
