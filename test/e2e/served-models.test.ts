import { Client, credentials } from '@grpc/grpc-js';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';

import { main } from '../../src/cli/main.js';
import { PredictClient } from '../../src/scoring/client/predict-client.js';
import { readFloats, row } from '../../src/scoring/client/tensors.js';
import { predictionService } from '../../src/scoring/protos/services.js';
import { callUnary } from '../fixtures/grpc-call.js';
import { bundleScoringRuntime, ScoringProcess } from '../fixtures/scoring-server.js';
import { ServedModels, type ServedModel } from '../fixtures/served-models.js';

const DECODERS = ['decode-jpeg', 'decode-png', 'decode-image', 'decode-image-as-floats'] as const;
const MODELS = [
  ...['resnet50', 'resnet152', 'densenet121', 'vgg16', 'ssd-vgg', 'efficientnet-lite0'],
  ...['float-tensors', 'uint8-tensors', 'float-tensors-tf1', 'uint8-tensors-tf1'],
  ...['keras-export', 'mapped-tf1', 'one-jpeg', 'two-outputs'],
  ...DECODERS,
];
/** How far an answer may be from TensorFlow's, as a share of the row's largest value: what the conversion allows. */
const AGREEMENT = 1e-3;

/** What TensorFlow scores and the server refuses: its reason. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  cmyk: /^images\[0\]: CMYK JPEGs are not supported/,
  gif: /^images\[0\]: GIF images are not supported/,
};

let runtime: Awaited<ReturnType<typeof bundleScoringRuntime>>;
let models: ServedModels;
beforeAll(async () => {
  [runtime, models] = await Promise.all([bundleScoringRuntime(), ServedModels.make(MODELS)]);
});
afterAll(async () => {
  await runtime?.remove();
  await models?.remove();
});

/** A model in a server's hands, until the test ends. */
async function serve(name: string): Promise<{ model: ServedModel; client: PredictClient; address: string }> {
  const model = await models.open(name);
  const server = new ScoringProcess(runtime.app, { MODEL_DIR: model.converted, MODEL_NAME: name });
  onTestFinished(() => server.kill());
  const address = await server.address();
  const client = PredictClient.connect({ address, model: name });
  onTestFinished(() => client.close());
  return { model, client, address };
}

it.each(MODELS)('%s: built, converted by the job and served, it answers what TensorFlow answers', async (name) => {
  const { model, client } = await serve(name);
  const { input, tensor } = model;
  const scored = model.answers.filter(({ image, outputs }) => outputs && !(image in REFUSED));
  expect(scored.length).toBeGreaterThan(2);
  const { outputs } = await client.predict({ input, tensor, images: scored.map(({ content }) => content) });
  scored.forEach(({ image, outputs: expected = {} }, index) => {
    expect(Object.keys(outputs).sort()).toEqual(Object.keys(expected).sort());
    for (const [output, values] of Object.entries(expected)) {
      const answer = outputs[output] ?? expect.fail(`no ${output}`);
      expect(distance(row(answer, index), values), `${image}: ${output}`).toBeLessThan(AGREEMENT);
    }
  });
});

it('one-jpeg: a signature that takes one string takes it without a batch', async () => {
  const { model, address } = await serve('one-jpeg');
  const { content, outputs = {} } = model.answers[0] ?? expect.fail('no answers');
  const client = new Client(address, credentials.createInsecure());
  onTestFinished(() => client.close());
  const image = { dtype: 'DT_STRING', tensor_shape: { dim: [] }, string_val: [content] };
  const request = { model_spec: { name: 'one-jpeg' }, inputs: { [model.input]: image } };
  const answer = await callUnary(client, predictionService.Predict, request);
  const { shape, values } = readFloats('scores', answer.outputs.scores ?? expect.fail('no scores'));
  expect(shape).toEqual([1, 3]);
  expect(distance(values, outputs.scores ?? [])).toBeLessThan(AGREEMENT);
});

it('ssd-vgg: slipway score prints the surest boxes', async () => {
  const { model, address } = await serve('ssd-vgg');
  const { image, content, outputs = {} } = model.answers[0] ?? expect.fail('no answers');
  const directory = await mkdtemp(join(tmpdir(), 'slipway-boxes-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const photo = join(directory, image);
  await writeFile(photo, content);
  const printed = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  onTestFinished(() => printed.mockRestore());
  expect(await main(['score', 'ssd-vgg', photo, '--url', `grpc://${address}`, '--top', '3', '--json'])).toBe(0);
  const [{ boxes }] = JSON.parse(printed.mock.calls.join('')) as [{ boxes: { index: number; confidence: number }[] }];
  expect(boxes).toHaveLength(3);
  const { scores = [], boxes: edges = [] } = outputs;
  const classes = scores.length / (edges.length / 4);
  // Class 0 is the background.
  const surest = Math.max(...scores.filter((_, at) => at % classes !== 0));
  expect(boxes[0]).toMatchObject({ index: scores.indexOf(surest) % classes });
  expect(boxes[0]?.confidence).toBeCloseTo(surest, 3);
});

describe.each(DECODERS)('%s', (name) => {
  it('refuses by name what TensorFlow refuses, and what only TensorFlow decodes', async () => {
    const { model, client } = await serve(name);
    const refusals = model.answers.filter(({ image, error }) => error !== undefined || image in REFUSED);
    expect(refusals.map(({ image }) => image)).toEqual(expect.arrayContaining(['truncated', 'cmyk', 'gif', 'text']));
    for (const { image, content } of refusals) {
      await expect(client.predict({ input: model.input, images: [content] }), image).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringMatching(
          REFUSED[image] ?? /^images\[0\]: (Invalid JPEG data|Unknown image file)/,
        ) as string,
      });
    }
  });
});

/** Largest difference as a share of the largest value; not a number where they cannot be compared. */
function distance(actual: Float32Array, expected: readonly number[]): number {
  if (actual.length !== expected.length) return NaN;
  const largest = Math.max(...expected.map(Math.abs));
  return Math.max(...expected.map((value, index) => Math.abs(value - (actual[index] ?? NaN)))) / largest;
}
