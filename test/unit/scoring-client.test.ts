import { Metadata, status } from '@grpc/grpc-js';
import getPort from 'get-port';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import { PredictClient } from '../../src/scoring/client/predict-client.js';
import { topK } from '../../src/scoring/client/top-k.js';
import type { PredictRequest } from '../../src/scoring/protos/messages.js';
import { connect, floats, photoRequest as request, serve, type Answer } from '../fixtures/predict-server.js';

const clientOf = async (answer: Answer) => connect({ address: (await serve(answer)).address });

/** What a server with a full queue answers; `retry`: whether it says that the call may be repeated. */
const exhausted = (retry: boolean) => {
  const metadata = new Metadata();
  if (retry) metadata.set('grpc-retry-pushback-ms', '1000');
  return { code: status.RESOURCE_EXHAUSTED, details: 'no room', metadata };
};

describe('PredictClient', () => {
  it.each([
    ['float_val, as TensorFlow Serving writes', { float_val: [0.25, 0.5] }],
    ['tensor_content', { tensor_content: Buffer.from(Float32Array.of(0.25, 0.5).buffer) }],
  ])('reads %s', async (_, tensor) => {
    const { outputs } = await (await clientOf(floats(tensor))).predict(request);
    expect(outputs.y).toEqual({ shape: [1, 2], values: Float32Array.of(0.25, 0.5) });
  });

  it.each([
    ['another type', { dtype: 'DT_INT64' }],
    ['too few values', { float_val: [1] }],
  ])('does not make floats of %s', async (_, tensor) => {
    const client = await clientOf(floats(tensor));
    await expect(client.predict(request)).rejects.toMatchObject({ name: 'PredictError', code: 'DATA_LOSS' });
  });

  it('sends the images as a vector of strings, with the version and the outputs asked for', async () => {
    let seen: PredictRequest | undefined;
    const client = await clientOf((got, callback) => {
      seen = got;
      callback(null, {});
    });
    await client.predict({ ...request, version: 4, outputs: ['y'] });
    expect(seen).toMatchObject({
      model_spec: { name: 'm', version: { value: 4 } },
      inputs: { x: { dtype: 'DT_STRING', tensor_shape: { dim: [{ size: 1 }] }, string_val: request.images } },
      output_filter: ['y'],
    });
  });

  it('waits for a server that is not up yet', async () => {
    const port = await getPort();
    const call = connect({ address: `127.0.0.1:${port}` }).predict(request);
    await sleep(300);
    await serve(floats({ float_val: [0, 1] }), { port });
    await expect(call).resolves.toBeDefined();
  });

  it.each([
    ['comes back UNAVAILABLE', { code: status.UNAVAILABLE, details: 'draining' }, 5],
    ['meets a full queue', exhausted(true), 5],
    ['is too large', exhausted(false), 1],
    ['is refused', { code: status.INVALID_ARGUMENT, details: 'images[0]: Input is empty.' }, 1],
    ['is late', { code: status.DEADLINE_EXCEEDED, details: 'waited for 30 s' }, 1],
  ])('a call that %s is told by its last failure', async (_, failure, attempts) => {
    let calls = 0;
    const client = await clientOf((_request, callback) => {
      calls++;
      callback(failure);
    });
    await expect(client.predict(request)).rejects.toMatchObject({
      code: status[failure.code],
      message: failure.details,
    });
    expect(calls).toBe(attempts);
  });

  it('repeats a call until it succeeds, a second after the first attempt', async () => {
    const times: number[] = [];
    const good = floats({ float_val: [0, 1] });
    const { address } = await serve((got, callback) => {
      times.push(performance.now());
      if (times.length === 1) callback({ code: status.UNAVAILABLE, details: 'draining' });
      else good(got, callback);
    });
    await expect(connect({ address, retryWaitsMs: undefined }).predict(request)).resolves.toBeDefined();
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(950);
  });

  it('does not begin an attempt that would be after its deadline', async () => {
    let calls = 0;
    const client = await clientOf((_request, callback) => {
      calls++;
      callback({ code: status.UNAVAILABLE, details: 'draining' });
    });
    const call = client.predict({ ...request, timeoutMs: 250 });
    await expect(call).rejects.toMatchObject({ code: 'UNAVAILABLE', message: 'draining' });
    expect(calls).toBeLessThan(3);
  });

  it('gives up at its deadline when nobody answers', async () => {
    const client = await clientOf(() => undefined);
    await expect(client.predict({ ...request, timeoutMs: 500 })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  it('is cancelled by its signal', async () => {
    const client = await clientOf(() => undefined);
    const reason = new Error('enough');
    const abort = new AbortController();
    const call = client.predict({ ...request, signal: abort.signal });
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
