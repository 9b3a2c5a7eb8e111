import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { GOLDENS, MODEL_DIGEST } from '../fixtures/scoring-goldens.js';
import { bundleScoringRuntime, ScoringProcess } from '../fixtures/scoring-server.js';
import { makeTensorModel, type TensorModel } from '../fixtures/tensor-model.js';

const PHOTOS = GOLDENS.map(({ photo }) => ({ b64: photo.toString('base64') }));
const [PHOTO, OTHER] = PHOTOS;

let runtime: Awaited<ReturnType<typeof bundleScoringRuntime>>;
let server: ScoringProcess;

beforeAll(async () => {
  runtime = await bundleScoringRuntime();
  server = new ScoringProcess(runtime.app, { MODEL_VERSION_LABELS: 'stable' });
  await server.line('ready');
});

afterAll(async () => {
  await server?.kill();
  await runtime?.remove();
});

interface Answer {
  status: number;
  body: unknown;
  headers: Headers;
}

async function call(path: string, body?: unknown, from = server): Promise<Answer> {
  const init =
    body === undefined ? {} : { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) };
  const response = await fetch(`http://127.0.0.1:${await from.httpPort()}${path}`, init);
  return { status: response.status, body: await response.json(), headers: response.headers };
}

const predict = (body: unknown, path = '/v1/models/tiny') => call(`${path}:predict`, body);
const close = (values: number[] | undefined) => (values ?? []).map((value): unknown => expect.closeTo(value, 5));
const golden = (index: number) => ({
  logits: close(GOLDENS[index]?.outputs.logits),
  output_alias: close(GOLDENS[index]?.outputs.output_alias),
});

describe('predict', () => {
  it.each<[string, unknown]>([
    ['images alone', [PHOTO, OTHER]],
    ['images by the name of the input', [{ images: PHOTO }, { images: OTHER }]],
  ])('answers instances, %s, by image', async (_, instances) => {
    const { status, body, headers } = await predict({ signature_name: 'serving_default', instances });
    expect(body).toEqual({ predictions: [golden(0), golden(1)] });
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json');
    expect(headers.get('slipway-model-digest')).toBe(MODEL_DIGEST);
  });

  it.each<[string, unknown]>([
    ['images alone', [PHOTO, OTHER]],
    ['images by the name of the input', { images: [PHOTO, OTHER] }],
  ])('answers inputs, %s, by output', async (_, inputs) => {
    const { body } = await predict({ inputs });
    const rows = [golden(0), golden(1)];
    expect(body).toEqual({
      outputs: { logits: rows.map(({ logits }) => logits), output_alias: rows.map((row) => row.output_alias) },
    });
  });

  it('takes base64 in lines', async () => {
    const lines = PHOTO?.b64.replace(/(.{60})/g, '$1\n');
    expect((await predict({ instances: [{ b64: lines }] })).body).toEqual({ predictions: [golden(0)] });
  });

  it.each(['/v1/models/tiny/versions/3', '/v1/models/tiny/labels/stable', '/v1/MODELS/tiny'])(
    'knows the model as %s',
    async (path) => {
      expect((await predict({ instances: [PHOTO] }, path)).status).toBe(200);
    },
  );

  it('writes floats with as many digits as they need', async () => {
    const response = await fetch(`http://127.0.0.1:${await server.httpPort()}/v1/models/tiny:predict`, {
      method: 'POST',
      body: JSON.stringify({ instances: [PHOTO] }),
    });
    for (const [number] of (await response.text()).matchAll(/-?\d+\.\d+/g)) {
      expect(number.replace(/^-?0*\.?0*|\./g, '').length).toBeLessThanOrEqual(9);
    }
  });
});

describe('predict of a model of floats', () => {
  let model: TensorModel;
  let tensors: ScoringProcess;

  beforeAll(async () => {
    model = await makeTensorModel('DT_FLOAT');
    tensors = new ScoringProcess(runtime.app, { MODEL_DIR: model.directory });
    await tensors.line('ready');
  });
  afterAll(async () => {
    await tensors?.kill();
    await model?.remove();
  });

  /** A row as nested lists of height, width and channels. */
  const image = (row: number) => {
    const values = [...(model.rows[row]?.input ?? [])];
    const group = <T>(items: T[], size: number) =>
      Array.from({ length: items.length / size }, (_, index) => items.slice(index * size, (index + 1) * size));
    return group(group(values, 3), 4);
  };

  it('answers its only output without a name', async () => {
    const rows = [0, 1].map((row) => close([...(model.rows[row]?.probabilities ?? [])]));
    const path = '/v1/models/tiny:predict';
    expect((await call(path, { instances: [image(0), image(1)] }, tensors)).body).toEqual({ predictions: rows });
    expect((await call(path, { inputs: [image(0), image(1)] }, tensors)).body).toEqual({ outputs: rows });
  });

  it.each<[string, () => unknown, RegExp]>([
    [
      'lists of another shape',
      () => [image(0), image(0).slice(1)],
      /Encountered list at unexpected size: 3 at level: 1/,
    ],
    ['a number in place of a list', () => [image(0), 1], /found at incorrect level: 2/],
    ['a string', () => ['x'], /JSON Value: "x" Type: String is not of expected type: float/],
  ])('refuses %s', async (_, instances, reason) => {
    const { status, body } = await call('/v1/models/tiny:predict', { instances: instances() }, tensors);
    expect(body).toEqual({ error: expect.stringMatching(reason) as string });
    expect(status).toBe(400);
  });
});

describe('what TensorFlow Serving refuses is refused with its status', () => {
  const good = { instances: [PHOTO] };
  it.each<[string, string, unknown, number, string | RegExp]>([
    ['another model', '/v1/models/x:predict', good, 404, 'Servable not found for request: Latest(x)'],
    [
      'another version',
      '/v1/models/tiny/versions/9:predict',
      good,
      404,
      'Servable not found for request: Specific(tiny, 9)',
    ],
    ['another label', '/v1/models/tiny/labels/x:predict', good, 400, 'Unrecognized servable version label: x'],
    [
      'another signature',
      '/v1/models/tiny:predict',
      { ...good, signature_name: 'x' },
      400,
      /signature key "x" not found/,
    ],
    ['no JSON', '/v1/models/tiny:predict', 'x', 400, /^JSON Parse error/],
    ['no body', '/v1/models/tiny:predict', '', 400, /^JSON Parse error: The document is empty$/],
    ['no object', '/v1/models/tiny:predict', [1], 400, /is not object$/],
    ['no images', '/v1/models/tiny:predict', {}, 400, "Missing 'inputs' or 'instances' key"],
    ['both formats', '/v1/models/tiny:predict', { ...good, inputs: [PHOTO] }, 400, /only one of/],
    ['no instance', '/v1/models/tiny:predict', { instances: [] }, 400, /No values in 'instances'/],
    [
      'instances of two kinds',
      '/v1/models/tiny:predict',
      { instances: [PHOTO, { images: PHOTO }] },
      400,
      /Expecting value\/list but got object at item 1/,
    ],
    ['another input', '/v1/models/tiny:predict', { instances: [{ x: PHOTO }] }, 400, /keys must be equal to: images/],
    [
      'a number',
      '/v1/models/tiny:predict',
      { instances: [1] },
      400,
      'JSON Value: 1 Type: Number is not of expected type: string',
    ],
    [
      'lists nested without end',
      '/v1/models/tiny:predict',
      `{"instances": ${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
      400,
      'lists are nested more than 8 deep',
    ],
    ['a piece of base64', '/v1/models/tiny:predict', { instances: [{ b64: 'AAA*' }] }, 400, 'Unable to base64 decode'],
    ['no base64', '/v1/models/tiny:predict', { instances: [{ b64: '*' }] }, 400, 'Unable to base64 decode'],
    [
      'what is no image',
      '/v1/models/tiny:predict',
      { instances: [PHOTO, { b64: 'AAAA' }] },
      400,
      /^images\[1\]: Unknown image/,
    ],
    ['too many images', '/v1/models/tiny:predict', { instances: new Array(1025).fill('') }, 429, /the limit is 1024/],
    ['classify', '/v1/models/tiny:classify', {}, 501, /^classify is not supported/],
    ['another method', '/v1/models/tiny:train', {}, 400, 'Malformed request: POST /v1/models/tiny:train'],
    ['a broken name', '/v1/models/%ff:predict', good, 400, 'Malformed request: %ff'],
    ['no model', '/v1/models', undefined, 400, 'Malformed request: GET /v1/models'],
  ])('%s', async (_, path, body, status, error) => {
    const answer = await call(path, body);
    const matcher: unknown = typeof error === 'string' ? error : expect.stringMatching(error);
    expect(answer.body).toEqual({ error: matcher });
    expect(answer.status).toBe(status);
  });

  it('a body over the limit, whether its length is told or not', async () => {
    const large = Buffer.alloc(33 * 1024 * 1024, ' ');
    const streamed = { method: 'POST', body: new Blob([large]).stream(), duplex: 'half' as const };
    for (const init of [{ method: 'POST', body: large }, streamed]) {
      const response = await fetch(`http://127.0.0.1:${await server.httpPort()}/v1/models/tiny:predict`, init);
      expect(response.status).toBe(429);
      expect(await response.json()).toEqual({ error: 'the body is over the limit of 33554432 bytes' });
    }
    expect((await call('/v1/models/tiny')).status).toBe(200);
  });
});

describe('the model', () => {
  it.each(['', '/versions/3', '/labels/stable'])('has a status at /v1/models/tiny%s', async (rest) => {
    const good = { error_code: 'OK', error_message: '' };
    expect((await call(`/v1/models/tiny${rest}`)).body).toEqual({
      model_version_status: [{ version: '3', state: 'AVAILABLE', status: good }],
    });
  });

  it('has metadata with its signature', async () => {
    const { body } = await call('/v1/models/tiny/metadata');
    expect(body).toMatchObject({
      model_spec: { name: 'tiny', signature_name: '', version: '3' },
      metadata: {
        signature_def: {
          signature_def: {
            serving_default: {
              method_name: 'tensorflow/serving/predict',
              inputs: {
                images: {
                  dtype: 'DT_STRING',
                  name: 'serving_default_images:0',
                  tensor_shape: { dim: [{ size: '-1', name: '' }], unknown_rank: false },
                },
              },
            },
          },
        },
      },
    });
  });

  it.each([
    ['/v1/models/x', 'Could not find any versions of model x'],
    ['/v1/models/tiny/versions/4', 'Could not find version 4 of model tiny'],
    ['/v1/models/x/metadata', 'Servable not found for request: Latest(x)'],
  ])('is not another: %s', async (path, error) => {
    expect(await call(path)).toMatchObject({ status: 404, body: { error } });
  });
});

describe('/metrics', () => {
  it('shows what was answered, how long each stage took, and which model', async () => {
    const fresh = new ScoringProcess(runtime.app);
    try {
      await fresh.line('ready');
      const path = '/v1/models/tiny:predict';
      await call(path, { instances: [PHOTO, OTHER] }, fresh);
      await call(path, { instances: [1] }, fresh);
      const text = await (await fetch(`http://127.0.0.1:${await fresh.httpPort()}/metrics`)).text();
      for (const stage of ['queue', 'decode', 'preprocess', 'inference']) {
        expect(text).toMatch(new RegExp(`slipway_scoring_stage_seconds_count{stage="${stage}"} [1-9]`));
      }
      expect(text).toContain('slipway_scoring_call_seconds_count{protocol="rest",method="predict",code="OK"} 1');
      expect(text).toContain('slipway_scoring_rejected_calls_total{code="INVALID_ARGUMENT"} 1');
      expect(text).toContain('slipway_scoring_batch_images_sum');
      expect(text).toContain('slipway_scoring_queued_images 0');
      expect(text).toContain(`slipway_scoring_model_info{name="tiny",version="3",digest="${MODEL_DIGEST}"} 1`);
      expect(text).toContain('process_resident_memory_bytes');
    } finally {
      await fresh.kill();
    }
  });
});
