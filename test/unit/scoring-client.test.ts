import { Server, ServerCredentials, status, type sendUnaryData } from '@grpc/grpc-js';
import getPort from 'get-port';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';

import { PredictClient } from '../../src/scoring/client/predict-client.js';
import { topK } from '../../src/scoring/client/top-k.js';
import type { Draft, PredictRequest, PredictResponse, TensorProto } from '../../src/scoring/protos/messages.js';
import { predictionService } from '../../src/scoring/protos/services.js';

type Answer = (request: PredictRequest, callback: sendUnaryData<Draft<PredictResponse>>) => void;

/** A server that answers Predict as it is told, at a free port or at the given one. */
async function serve(answer: Answer, port = 0): Promise<number> {
  const server = new Server();
  server.addService(predictionService, {
    Predict: (call: { request: PredictRequest }, callback: sendUnaryData<Draft<PredictResponse>>) =>
      answer(call.request, callback),
  });
  onTestFinished(() => server.forceShutdown());
  return new Promise((resolve, reject) => {
    const credentials = ServerCredentials.createInsecure();
    server.bindAsync(`127.0.0.1:${port}`, credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
}

function connect(port: number): PredictClient {
  const client = PredictClient.connect({ address: `127.0.0.1:${port}`, model: 'm' });
  onTestFinished(() => client.close());
  return client;
}

const floats = (tensor: Draft<TensorProto>): Answer => {
  const shape = { dim: [{ size: 1 }, { size: 2 }] };
  return (_, callback) => callback(null, { outputs: { y: { dtype: 'DT_FLOAT', tensor_shape: shape, ...tensor } } });
};

const request = { input: 'x', images: [Buffer.from('photo')] };

describe('PredictClient', () => {
  it.each([
    ['float_val, as TensorFlow Serving writes', { float_val: [0.25, 0.5] }],
    ['tensor_content', { tensor_content: Buffer.from(Float32Array.of(0.25, 0.5).buffer) }],
  ])('reads %s', async (_, tensor) => {
    const { outputs } = await connect(await serve(floats(tensor))).predict(request);
    expect(outputs.y).toEqual({ shape: [1, 2], values: Float32Array.of(0.25, 0.5) });
  });

  it.each([
    ['another type', { dtype: 'DT_INT64' }],
    ['too few values', { float_val: [1] }],
  ])('does not make floats of %s', async (_, tensor) => {
    const client = connect(await serve(floats(tensor)));
    await expect(client.predict(request)).rejects.toMatchObject({ name: 'PredictError', code: 'DATA_LOSS' });
  });

  it('sends the images as a vector of strings, with the version and the outputs asked for', async () => {
    let seen: PredictRequest | undefined;
    const port = await serve((got, callback) => {
      seen = got;
      callback(null, {});
    });
    await connect(port).predict({ ...request, version: 4, outputs: ['y'] });
    expect(seen).toMatchObject({
      model_spec: { name: 'm', version: { value: 4 } },
      inputs: { x: { dtype: 'DT_STRING', tensor_shape: { dim: [{ size: 1 }] }, string_val: request.images } },
      output_filter: ['y'],
    });
  });

  it('waits for a server that is not up yet', async () => {
    const port = await getPort();
    const call = connect(port).predict(request);
    await sleep(300);
    await serve(floats({ float_val: [0, 1] }), port);
    await expect(call).resolves.toBeDefined();
  });

  it('repeats a call that comes back UNAVAILABLE', async () => {
    let calls = 0;
    const good = floats({ float_val: [0, 1] });
    const port = await serve((got, callback) => {
      if (++calls < 3) callback({ code: status.UNAVAILABLE, details: 'draining' });
      else good(got, callback);
    });
    await expect(connect(port).predict(request)).resolves.toBeDefined();
    expect(calls).toBe(3);
  });

  it('gives up at its deadline, with the reason', async () => {
    const port = await serve((_, callback) => callback({ code: status.UNAVAILABLE, details: 'draining' }));
    const call = connect(port).predict({ ...request, timeoutMs: 700 });
    await expect(call).rejects.toMatchObject({ code: 'UNAVAILABLE', message: 'draining' });
  });

  it('gives up at its deadline when nobody is there', async () => {
    const call = connect(1).predict({ ...request, timeoutMs: 500 });
    await expect(call).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      message: 'no connection to 127.0.0.1:1 within 0.5 s',
    });
  });

  it('does not repeat a call that is refused', async () => {
    let calls = 0;
    const port = await serve((_, callback) => {
      calls++;
      callback({ code: status.INVALID_ARGUMENT, details: 'images[0]: Input is empty.' });
    });
    const call = connect(port).predict(request);
    await expect(call).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: 'images[0]: Input is empty.' });
    expect(calls).toBe(1);
  });

  it('is cancelled by its signal', async () => {
    const port = await serve(() => undefined);
    const reason = new Error('enough');
    const abort = new AbortController();
    const call = connect(port).predict({ ...request, signal: abort.signal });
    setTimeout(() => abort.abort(reason), 100);
    await expect(call).rejects.toBe(reason);
  });

  it('asks for the name of the model', async () => {
    const client = PredictClient.connect({ address: 'unused:1' });
    await expect(client.predict(request)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    client.close();
  });
});

describe('topK', () => {
  it.each([
    ['the largest first', [0.1, 0.7, 0.2], 2, [1, 2]],
    ['equal values by index', [0.5, 0.1, 0.5], 2, [0, 2]],
    ['no more than there are', [0.4, 0.6], 5, [1, 0]],
  ])('gives %s', (_, values, k, indexes) => {
    expect(topK(Float32Array.from(values), k).map(({ index }) => index)).toEqual(indexes);
  });

  it('has the label where there is one, else the index', () => {
    const [first, second] = topK(Float32Array.of(0.25, 0.75), 2, ['cat']);
    expect(first).toEqual({ index: 1, label: '1', confidence: 0.75 });
    expect(second).toEqual({ index: 0, label: 'cat', confidence: 0.25 });
  });
});
