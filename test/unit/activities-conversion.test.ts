import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { jobState } from '../../src/activities/conversion.js';
import { conversionCommand, conversionDigest, readConversionParts } from '../../src/activities/conversion-parts.js';
import { explainFailure } from '../../src/activities/job-failure.js';
import type { ConversionInput } from '../../src/deployment/activities.js';
import { digestOf } from '../../src/deployment/digests.js';
import { FailureType } from '../../src/deployment/errors.js';
import type { QuantizeSettings } from '../../src/deployment/input.js';
import { identify } from '../../src/deployment/identity.js';
import { CONVERSION } from '../fixtures/conversion-settings.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'slipway-conversion-'));
  await mkdir(path.join(directory, 'tests'));
  await mkdir(path.join(directory, '__pycache__'));
  await writeFile(path.join(directory, 'job.py'), 'print()');
  await writeFile(path.join(directory, 'image.txt'), 'mcr.example/base:1\n');
  await writeFile(path.join(directory, 'environment.yml'), 'dependencies: []\n');
});
afterEach(() => rm(directory, { recursive: true }));

const identity = identify({ subscriptionId: 's', resourceGroup: 'g', workspaceName: 'w', service: 'boats' });
const input: ConversionInput = {
  identity,
  workspace: {
    id: '/w',
    name: 'w',
    resourceGroup: 'g',
    subscriptionId: 's',
    region: 'r',
    storageAccountId: '/a',
    containerRegistryId: '/c',
  },
  source: { name: 'boats', version: '1', id: '/m', url: 'azureml://x', createdAt: '', digest: digestOf('model') },
  model: {
    source: { kind: 'registered', name: 'boats', version: '1' },
    name: 'boats',
    tags: {},
    properties: {},
    signature: 'serving_default',
    input: 'images',
    outputs: ['output_alias'],
  },
  settings: CONVERSION,
  photos: [
    { name: 'a.jpg', digest: digestOf('a') },
    { name: 'b.jpg', digest: digestOf('b') },
  ],
};

const int8: QuantizeSettings = {
  to: 'int8',
  calibration: { digest: digestOf('folder'), count: 40 },
  parity: { relative: 0.1, top5: 3 },
};
const quantized = (quantize: QuantizeSettings): ConversionInput => ({
  ...input,
  settings: { ...CONVERSION, quantize },
});

describe('the digest of a conversion', () => {
  it('is the same for what gives the same result', async () => {
    const parts = await readConversionParts(directory);
    const again: ConversionInput = {
      ...input,
      identity: { ...identity, deploymentId: 'dother' },
      settings: { ...input.settings, compute: 'cpu-cluster', instanceType: 'Standard_D8s_v3', maxMemory: '8G' },
      photos: [...input.photos, { name: 'copy.jpg', digest: digestOf('a'), expect: 3 }].reverse(),
    };
    expect(conversionDigest(again, parts)).toBe(conversionDigest(input, parts));
  });

  it('ignores tests and caches of the code', async () => {
    const before = conversionDigest(input, await readConversionParts(directory));
    await writeFile(path.join(directory, 'tests', 'test_job.py'), 'x');
    await writeFile(path.join(directory, '__pycache__', 'job.pyc'), 'x');
    expect(conversionDigest(input, await readConversionParts(directory))).toBe(before);
  });

  it.each([
    ['the model', (i: ConversionInput) => ({ ...i, source: { ...i.source, digest: digestOf('other') } })],
    ['the input tensor', (i: ConversionInput) => ({ ...i, model: { ...i.model, input: 'other' } })],
    ['an output', (i: ConversionInput) => ({ ...i, model: { ...i.model, outputs: ['other'] } })],
    ['a limit', (i: ConversionInput) => ({ ...i, settings: { ...i.settings, parity: { relative: 0.1, top5: 5 } } })],
    ['a photo', (i: ConversionInput) => ({ ...i, photos: i.photos.slice(1) })],
    ['int8', () => quantized(int8)],
  ])('changes with %s', async (_case, change) => {
    const parts = await readConversionParts(directory);
    expect(conversionDigest(change(input), parts)).not.toBe(conversionDigest(input, parts));
  });

  it.each<[string, Partial<QuantizeSettings>]>([
    ['calibration photos', { calibration: { digest: digestOf('other folder'), count: 40 } }],
    ['limits of int8', { parity: { relative: 0.2, top5: 3 } }],
  ])('changes with the %s', async (_case, change) => {
    const parts = await readConversionParts(directory);
    expect(conversionDigest(quantized({ ...int8, ...change }), parts)).not.toBe(
      conversionDigest(quantized(int8), parts),
    );
  });

  it.each(['job.py', 'image.txt', 'environment.yml'])('changes with %s', async (file) => {
    const before = conversionDigest(input, await readConversionParts(directory));
    await writeFile(path.join(directory, file), 'other');
    expect(conversionDigest(input, await readConversionParts(directory))).not.toBe(before);
  });

  it('needs the whole package', async () => {
    await rm(path.join(directory, 'image.txt'));
    await expect(readConversionParts(directory)).rejects.toMatchObject({ code: 'PackageIncomplete' });
  });
});

it('quotes names of tensors for the shell', () => {
  const model = { ...input.model, input: "it's", outputs: ['a:0', 'b c', '$(rm)'] };
  expect(conversionCommand({ ...input, model })).toBe(
    'python -m conversion.job --model ${{inputs.model}} --photos ${{inputs.photos}} --signature serving_default ' +
      "--input 'it'\\''s' --output a:0 --output 'b c' --output '$(rm)' " +
      '--parity-relative 0.001 --parity-top5 5 --max-memory 6G --out ${{outputs.converted}}',
  );
});

it('asks the job for int8 with its limits, and names the folder as Azure ML mounts it', () => {
  expect(conversionCommand(quantized(int8))).toContain(
    ' --quantize int8 --calibration ${{inputs.calibration}} --int8-relative 0.1 --int8-top5 3 --out ',
  );
});

describe('the state of a job', () => {
  it.each([
    ['Queued', '', 'Azure ML job is Queued (waiting for a machine)'],
    ['Running', '', 'Azure ML job is Running'],
    [
      'Running',
      'slipway: phase=load boats\nslipway: phase=convert DecodeJpeg\nW0000 oneDNN\n',
      'Azure ML job is Running: converting',
    ],
    ['Running', 'cut off phase=load boats\n', 'Azure ML job is Running'],
    ['Running', 'slipway: phase=quantise int8\n', 'Azure ML job is Running: quantise'],
    ['Somewhere', '', 'Azure ML job is Somewhere'],
  ])('%s, with the log %j, reads %s', (status, log, text) => {
    expect(jobState(status, log)).toBe(text);
  });
});

describe('a failed job', () => {
  const log = [
    'slipway: phase=load boats',
    'Traceback',
    'slipway: error=TensorNotFound message=There is no output y. fix=Use one of: x, z.',
    '',
  ].join('\n');

  it('gives the reason that the job itself gave, with the end of its log', () => {
    const failure = explainFailure({ name: 'j', failure: { code: 'UserError', message: 'Execution failed' } }, log);
    expect(failure).toMatchObject({ code: 'TensorNotFound', fix: 'Use one of: x, z.' });
    expect(failure.message).toMatch(/Traceback\nThere is no output y\.$/);
  });

  it.each([
    ['UserError', 'UserError'],
    ['InternalError', FailureType.OperationFailed],
    [undefined, FailureType.OperationFailed],
  ])('without such a reason is judged by its code: %s', (code, type) => {
    const failure = explainFailure({ name: 'j', failure: code ? { code, message: 'why' } : undefined }, 'killed\n');
    expect(failure).toMatchObject({ type });
    expect(failure.message).toContain('killed');
  });
});
