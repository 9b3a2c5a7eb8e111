import { Client, credentials, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { readFloats } from '../../src/scoring/client/tensors.js';
import type { Draft, TensorProto } from '../../src/scoring/protos/messages.js';
import { predictionService } from '../../src/scoring/protos/services.js';
import { callUnary } from '../fixtures/grpc-call.js';
import { bundleScoringRuntime, ScoringProcess } from '../fixtures/scoring-server.js';
import { bytesOf, makeTensorModel, ROW_SHAPE, type TensorModel } from '../fixtures/tensor-model.js';

let runtime: Awaited<ReturnType<typeof bundleScoringRuntime>>;

beforeAll(async () => {
  runtime = await bundleScoringRuntime();
});

afterAll(() => runtime?.remove());

describe.each([
  ['DT_FLOAT', 'float_val', 'uint8'],
  ['DT_UINT8', 'int_val', 'float'],
] as const)('a model that takes %s', (dtype, field, otherType) => {
  let model: TensorModel;
  let server: ScoringProcess;
  let client: Client;

  beforeAll(async () => {
    model = await makeTensorModel(dtype);
    server = new ScoringProcess(runtime.app, { MODEL_DIR: model.directory });
    client = new Client(await server.address(), credentials.createInsecure());
  });

  afterAll(async () => {
    client?.close();
    await server?.kill();
    await model?.remove();
  });

  const predict = (x: Draft<TensorProto>) =>
    callUnary(client, predictionService.Predict, { model_spec: { name: 'tiny' }, inputs: { x } });
  const tensor = (rows: number, values: Draft<TensorProto>): Draft<TensorProto> => ({
    dtype,
    tensor_shape: { dim: [rows, ...ROW_SHAPE].map((size) => ({ size })) },
    ...values,
  });

  it.each<[string, (inputs: (Float32Array | Uint8Array)[]) => Draft<TensorProto>]>([
    ['tensor_content', (inputs) => ({ tensor_content: Buffer.concat(inputs.map(bytesOf)) })],
    [field, (inputs) => ({ [field]: inputs.flatMap((row) => [...row]) })],
  ])('gives rows in %s the values of the model, in their order', async (_, encode) => {
    const rows = Array.from({ length: 11 }, (_, index) => model.rows[index % model.rows.length]).filter((row) => !!row);
    const response = await predict(tensor(rows.length, encode(rows.map(({ input }) => input))));
    const { shape, values } = readFloats('y', response.outputs.y ?? expect.fail('no output y'));
    expect(shape).toEqual([11, 5]);
    rows.forEach(({ probabilities }, row) =>
      probabilities.forEach((expected, at) => expect(values[row * 5 + at]).toBeCloseTo(expected, 5)),
    );
  });

  it('repeats the last value when there are too few, as TensorFlow does', async () => {
    const one = await predict(tensor(2, { [field]: [1] }));
    const all = await predict(tensor(2, { [field]: new Array<number>(2 * 48).fill(1) }));
    expect(one.outputs).toEqual(all.outputs);
  });

  it.each<[string, Draft<TensorProto>, status, string | RegExp]>([
    ['a vector', { dtype, tensor_shape: { dim: [{ size: 48 }] } }, 3, 'x has shape [48], the model takes [-1,4,4,3]'],
    [
      'rows of another size',
      { dtype, tensor_shape: { dim: [1, 4, 5, 3].map((size) => ({ size })) } },
      3,
      /^x has shape/,
    ],
    ['strings', { ...tensor(1, {}), dtype: 'DT_STRING' }, 3, /^Expects arg\[0\] to be .* but string is provided$/],
    [
      'content that does not fill the shape',
      tensor(2, { tensor_content: Buffer.alloc(7) }),
      3,
      'tensor parsing error: x',
    ],
    ['too many rows', tensor(1025, {}), status.RESOURCE_EXHAUSTED, /the limit is 1024/],
  ])('refuses %s', async (_, x, code, details) => {
    const matcher: unknown = typeof details === 'string' ? details : expect.stringMatching(details);
    await expect(predict(x)).rejects.toMatchObject({ code, details: matcher });
  });

  it('refuses the other type of number', async () => {
    const x = { ...tensor(1, {}), dtype: `DT_${otherType.toUpperCase()}` };
    await expect(predict(x)).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringContaining(`but ${otherType} is provided`) as string,
    });
  });
});
