import { Client, credentials, Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { row } from '../../src/scoring/client/tensors.js';
import { PredictClient } from '../../src/scoring/client/predict-client.js';
import type {
  Draft,
  ModelSpec,
  PredictRequest,
  PredictResponse,
  TensorProto,
} from '../../src/scoring/protos/messages.js';
import { predictionService } from '../../src/scoring/protos/services.js';
import { callUnary } from '../fixtures/grpc-call.js';
import { GOLDENS, MODEL_DIGEST } from '../fixtures/scoring-goldens.js';
import pngs from '../fixtures/png/images.json' with { type: 'json' };
import { bundleScoringRuntime, ScoringProcess } from '../fixtures/scoring-server.js';

const PHOTOS = GOLDENS.map(({ photo }) => photo);
const [PHOTO = Buffer.alloc(0), OTHER = Buffer.alloc(0)] = PHOTOS;

const PNG = Buffer.from(pngs.images['RGB, a gamma'].png, 'base64');
/** Marker of a baseline JPEG's frame header. */
const FRAME = Buffer.from('ffc0', 'hex');

let runtime: Awaited<ReturnType<typeof bundleScoringRuntime>>;
let server: ScoringProcess;
let client: PredictClient;
let raw: Client;

beforeAll(async () => {
  runtime = await bundleScoringRuntime();
  server = new ScoringProcess(runtime.app);
  const address = await server.address();
  client = PredictClient.connect({ address, model: 'tiny' });
  raw = new Client(address, credentials.createInsecure());
});

afterAll(async () => {
  client?.close();
  raw?.close();
  await server?.kill();
  await runtime?.remove();
});

/** A Predict call with any message, right or wrong. */
const predict = (request: Draft<PredictRequest>, metadata?: Metadata) =>
  callUnary(raw, predictionService.Predict, request, metadata);

const strings = (values: Uint8Array[], sizes: number[] = [values.length]): Draft<TensorProto> => ({
  dtype: 'DT_STRING',
  tensor_shape: { dim: sizes.map((size) => ({ size })) },
  string_val: values,
});

const scoring = (tensor: Draft<TensorProto>): Draft<PredictRequest> => ({
  model_spec: { name: 'tiny' },
  inputs: { images: tensor },
  output_filter: ['output_alias'],
});

const rowsOf = (response: PredictResponse) => response.outputs.output_alias?.tensor_shape?.dim.map(({ size }) => size);

describe('Predict', () => {
  it.each([1, 2, 3, 7, 40])('gives %i images the values that TensorFlow gave, in their order', async (count) => {
    const photos = Array.from({ length: count }, (_, index) => index % GOLDENS.length);
    const { outputs } = await client.predict({
      input: 'images',
      images: photos.map((photo) => PHOTOS[photo] ?? PHOTO),
    });
    for (const name of ['output_alias', 'logits']) {
      const output = outputs[name] ?? { shape: [], values: new Float32Array() };
      expect(output.shape).toEqual([count, 5]);
      photos.forEach((photo, index) => {
        const expected = GOLDENS[photo]?.outputs[name] ?? [];
        row(output, index).forEach((value, at) => expect(value).toBeCloseTo(expected[at] ?? NaN, 5));
      });
    }
  });

  it('takes PNGs among JPEGs, as TensorFlow does', async () => {
    const rgb = Buffer.from(pngs.images['RGB, 8 bits'].png, 'base64');
    const { outputs } = await client.predict({ input: 'images', images: [PHOTO, rgb] });
    expect(outputs.output_alias?.shape).toEqual([2, 5]);
    expect(outputs.output_alias?.values[0]).toBeCloseTo(GOLDENS[0]?.outputs.output_alias?.[0] ?? NaN, 5);
  });

  it('says which model answered', async () => {
    const { model, modelDigest } = await client.predict({ input: 'images', images: [PHOTO] });
    expect(model).toEqual({ name: 'tiny', version: 3 });
    expect(modelDigest).toBe(MODEL_DIGEST);
    const response = await predict({
      ...scoring(strings([PHOTO])),
      model_spec: { name: 'tiny', version: { value: 3 } },
    });
    expect(response.model_spec).toMatchObject({
      name: 'tiny',
      version: { value: 3 },
      signature_name: 'serving_default',
    });
  });

  it.each([
    ['images', 'output_alias'],
    ['images:0', 'output_alias:0'],
    ['serving_default_images:0', 'StatefulPartitionedCall:0'],
    ['serving_default_images', 'StatefulPartitionedCall'],
    ['images', 'StatefulPartitionedCall:1'],
  ])('knows the input as %s and answers the output under the name asked for, %s', async (input, output) => {
    const { outputs } = await client.predict({ input, outputs: [output], images: [PHOTO] });
    expect(Object.keys(outputs)).toEqual([output]);
    const golden = output.endsWith(':1') ? 'logits' : 'output_alias';
    expect(outputs[output]?.values[0]).toBeCloseTo(GOLDENS[0]?.outputs[golden]?.[0] ?? NaN, 5);
  });

  it('ignores metadata that clients of 2019 send', async () => {
    const metadata = new Metadata();
    metadata.set('x-ms-aml-grpc-service-route', '/api/v1/service/tiny');
    metadata.set('authorization', 'Bearer anything');
    expect(rowsOf(await predict(scoring(strings([PHOTO])), metadata))).toEqual([1, 5]);
  });
});

describe('a vector of strings counts by its shape, as in TensorFlow', () => {
  const lengths = Buffer.from([PHOTO, OTHER].flatMap(({ length }) => [(length & 0x7f) | 0x80, length >> 7]));
  it.each<[string, Draft<TensorProto>, number[]]>([
    ['shape [2] with one value is two rows', strings([PHOTO], [2]), [2, 5]],
    ['shape [1] with two values is one row', strings([PHOTO, Buffer.from('ignored')], [1]), [1, 5]],
    ['shape [0] is no row', strings([], [0]), [0, 5]],
    [
      'values may be in tensor_content',
      { ...strings([], [2]), tensor_content: Buffer.concat([lengths, PHOTO, OTHER]) },
      [2, 5],
    ],
  ])('%s', async (_, tensor, shape) => {
    expect(rowsOf(await predict(scoring(tensor)))).toEqual(shape);
  });
});

describe('a refusal has the code and text of TensorFlow Serving', () => {
  const good = scoring(strings([PHOTO]));
  const spec = (model_spec: Draft<ModelSpec>) => ({ ...good, model_spec });
  const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
  const images = (...list: Uint8Array[]) => scoring(strings(list));
  const truncated = PHOTO.subarray(0, PHOTO.length - 2);
  const gif = Buffer.from('GIF89a');
  /** Its frame header says four components. */
  const cmyk = Buffer.from(PHOTO).fill(4, PHOTO.indexOf(FRAME) + 9, PHOTO.indexOf(FRAME) + 10);
  const hugePng = Buffer.from(PNG).fill(Buffer.from('0000ffff0000ffff', 'hex'), 16, 24);
  const huge = Buffer.concat([Buffer.from('ffd8ffc0001108ffffffff03012200021101031101', 'hex'), Buffer.alloc(32)]);

  it.each<[string, Draft<PredictRequest>, status, string | RegExp]>([
    ['no model_spec', { inputs: good.inputs ?? {} }, status.INVALID_ARGUMENT, 'Missing ModelSpec'],
    ['no model name', spec({ name: '' }), status.INVALID_ARGUMENT, 'ModelSpec has no name specified.'],
    ['another model', spec({ name: 'x' }), status.NOT_FOUND, 'Servable not found for request: Latest(x)'],
    [
      'another version',
      spec({ name: 'tiny', version: { value: 9 } }),
      status.NOT_FOUND,
      'Servable not found for request: Specific(tiny, 9)',
    ],
    [
      'a version label',
      spec({ name: 'tiny', version_label: 'stable' }),
      status.INVALID_ARGUMENT,
      'Unrecognized servable version label: stable',
    ],
    [
      'another signature',
      spec({ name: 'tiny', signature_name: 'classify' }),
      status.FAILED_PRECONDITION,
      'Serving signature key "classify" not found.',
    ],
    [
      'another input',
      { ...good, inputs: { x: strings([PHOTO]) } },
      status.INVALID_ARGUMENT,
      'input tensor alias not found in signature: x. Inputs expected to be in the set {images}.',
    ],
    [
      'no input',
      { ...good, inputs: {} },
      status.INVALID_ARGUMENT,
      'input size does not match signature: 0!=1 len({}) != len({images}). Sent extra: {}. Missing but required: {images}.',
    ],
    ['an input too many', { ...good, inputs: { images: {}, y: {} } }, status.INVALID_ARGUMENT, /2!=1 .*extra: {y}/],
    [
      'an unknown output',
      { ...good, output_filter: ['z'] },
      status.INVALID_ARGUMENT,
      'output tensor alias not found in signature: z Outputs expected to be in the set {logits,output_alias}.',
    ],
    [
      'an output twice, once by its other name',
      { ...good, output_filter: ['output_alias', 'StatefulPartitionedCall'] },
      status.INVALID_ARGUMENT,
      'duplicate output tensor alias: StatefulPartitionedCall',
    ],
    [
      'floats',
      scoring({ dtype: 'DT_FLOAT', tensor_shape: { dim: [{ size: 1 }] }, float_val: [1] }),
      status.INVALID_ARGUMENT,
      'Expects arg[0] to be string but float is provided',
    ],
    ['no type', scoring({}), status.INVALID_ARGUMENT, 'tensor parsing error: images'],
    ['a negative size', scoring(strings([PHOTO], [-1])), status.INVALID_ARGUMENT, 'tensor parsing error: images'],
    ['a matrix', scoring(strings([PHOTO], [1, 1])), status.INVALID_ARGUMENT, /must be a vector of JPEGs/],
    ['a scalar', scoring(strings([PHOTO], [])), status.INVALID_ARGUMENT, /must be a vector of JPEGs/],
    [
      'tensor_content that does not add up',
      scoring({ ...strings([], [2]), tensor_content: Buffer.from([3, 3, 65]) }),
      status.INVALID_ARGUMENT,
      'tensor parsing error: images',
    ],
    ['too many images', scoring(strings([PHOTO], [1025])), status.RESOURCE_EXHAUSTED, /the limit is 1024/],
    ['an empty string', images(PHOTO, Buffer.alloc(0)), status.INVALID_ARGUMENT, 'images[1]: Input is empty.'],
    ['garbage', images(Buffer.from('garbage')), status.INVALID_ARGUMENT, /^images\[0\]: Unknown image file format/],
    ['the start of a PNG', images(PHOTO, OTHER, png), status.INVALID_ARGUMENT, /^images\[2\]: Invalid PNG data/],
    ['a JPEG without its end', images(PHOTO, truncated), status.INVALID_ARGUMENT, /^images\[1\]: Invalid JPEG data/],
    ['only the start of a JPEG', images(PHOTO.subarray(0, 30)), status.INVALID_ARGUMENT, /^images\[0\]: Invalid JPEG/],
    ['a JPEG that claims to be huge', images(huge), status.INVALID_ARGUMENT, /^images\[0\]: 65535x65535 is over/],
    ['a GIF', images(PHOTO, gif), status.INVALID_ARGUMENT, /^images\[1\]: GIF images are not supported/],
    ['a CMYK JPEG', images(PHOTO, OTHER, cmyk), status.INVALID_ARGUMENT, /^images\[2\]: CMYK JPEGs are not supported/],
    ['a PNG that claims to be huge', images(hugePng), status.INVALID_ARGUMENT, /^images\[0\]: 65535x65535 is over/],
    [
      'two bad images among many, by the first',
      images(...Array.from({ length: 30 }, (_, index) => (index === 11 || index === 29 ? png : PHOTO))),
      status.INVALID_ARGUMENT,
      /^images\[11\]: /,
    ],
  ])('for %s', async (_, request, code, details) => {
    const error = await predict(request).then(
      () => undefined,
      (failure: ServiceError) => failure,
    );
    expect(error?.code).toBe(code);
    if (typeof details === 'string') expect(error?.details).toBe(details);
    else expect(error?.details).toMatch(details);
  });
});

it('a request with a bad image harms no other one', async () => {
  const [golden] = GOLDENS;
  const kinds = Array.from({ length: 24 }, (_, index) => (index % 3 === 1 ? Buffer.from('garbage') : PHOTO));
  const outcomes = await Promise.allSettled(kinds.map((photo) => predict(scoring(strings([OTHER, photo])))));
  outcomes.forEach((outcome, index) => {
    if (kinds[index] !== PHOTO) return expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 3 } });
    if (outcome.status === 'rejected') throw outcome.reason;
    const values = outcome.value.outputs.output_alias?.tensor_content ?? Buffer.alloc(0);
    golden?.outputs.output_alias?.forEach((expected, at) =>
      expect(values.readFloatLE(20 + at * 4)).toBeCloseTo(expected, 5),
    );
  });
});

describe('a method that this server does not have is refused with the reason', () => {
  it.each([
    [
      'tensorflow.serving.PredictionService/Classify',
      /^Classify is not supported: the model takes images.*call Predict$/,
    ],
    ['tensorflow.serving.PredictionService/Regress', /^Regress is not supported: /],
    ['tensorflow.serving.PredictionService/MultiInference', /^MultiInference is not supported: /],
    ['tensorflow.serving.ModelService/HandleReloadConfigRequest', /has one model for as long as it runs/],
  ])('%s', async (path, details) => {
    const call = new Promise((resolve, reject) => {
      const empty = () => Buffer.alloc(0);
      raw.makeUnaryRequest(`/${path}`, empty, empty, {}, (error) => (error ? reject(error) : resolve(undefined)));
    });
    await expect(call).rejects.toMatchObject({
      code: status.UNIMPLEMENTED,
      details: expect.stringMatching(details) as string,
    });
  });
});

describe('GetModelMetadata', () => {
  it('describes the signature of the SavedModel', async () => {
    const { signatures, model, modelDigest } = await client.metadata();
    expect(model).toEqual({ name: 'tiny', version: 3 });
    expect(modelDigest).toBe(MODEL_DIGEST);
    expect(signatures.serving_default).toEqual({
      inputs: { images: { tensor: 'serving_default_images:0', dtype: 'DT_STRING', shape: [-1] } },
      outputs: {
        logits: { tensor: 'StatefulPartitionedCall:1', dtype: 'DT_FLOAT', shape: [-1, 5] },
        output_alias: { tensor: 'StatefulPartitionedCall:0', dtype: 'DT_FLOAT', shape: [-1, 5] },
      },
    });
  });

  it('refuses another model', async () => {
    await expect(client.metadata({ model: 'x' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
