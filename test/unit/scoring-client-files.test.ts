import { status } from '@grpc/grpc-js';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { connect, serve, type Answer } from '../fixtures/predict-server.js';
import { GOLDENS } from '../fixtures/scoring-goldens.js';
import { bundleScoringRuntime, ScoringProcess } from '../fixtures/scoring-server.js';
import { makeTensorModel } from '../fixtures/tensor-model.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'slipway-files-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Files that hold their own number, so that an answer shows which one it is for. */
async function numberedFiles(count: number, padding = 0): Promise<string[]> {
  const files = Array.from({ length: count }, (_, index) => path.join(directory, `${count}-${padding}-${index}.jpg`));
  await Promise.all(
    files.map((file, index) => writeFile(file, Buffer.concat([Buffer.from([index]), Buffer.alloc(padding)]))),
  );
  return files;
}

/** Answers each image with its first byte. */
function echo(sizes: number[] = []): Answer {
  return (request, callback) => {
    const [images = []] = Object.values(request.inputs).map(({ string_val }) => string_val);
    sizes.push(images.length);
    const bad = images.findIndex((image) => image[0] === 255);
    if (bad >= 0) return callback({ code: status.INVALID_ARGUMENT, details: `images[${bad}]: Input is empty.` });
    const tensor_shape = { dim: [{ size: images.length }, { size: 1 }] };
    const y = { dtype: 'DT_FLOAT', tensor_shape, float_val: images.map(([first = 0]) => first) };
    callback(null, { outputs: { y } });
  };
}

describe('files', () => {
  it('are scored in their order, several in a request and all in several requests', async () => {
    const sizes: number[] = [];
    const client = connect({ address: (await serve(echo(sizes))).address });
    const files = await numberedFiles(100);
    const scores = await client.scoreFiles(files, { inputName: 'images', outputs: ['y'] });
    expect(scores.map(({ file }) => file)).toEqual(files);
    expect(scores.map(({ outputs }) => outputs.y)).toEqual(
      files.map((_, index) => ({ shape: [1], values: Float32Array.of(index) })),
    );
    expect(sizes.length).toBeGreaterThan(1);
    expect(Math.max(...sizes)).toBeGreaterThan(1);
  });

  it('that are large do not make a message too large', async () => {
    const sizes: number[] = [];
    const client = connect({ address: (await serve(echo(sizes))).address });
    await client.scoreFiles(await numberedFiles(3, 20 * 1024 * 1024), { inputName: 'images' });
    expect(sizes).toEqual([1, 1, 1]);
  });

  it('one of which is refused fail with its name', async () => {
    const client = connect({ address: (await serve(echo())).address });
    const files = await numberedFiles(40);
    const bad = files[33] ?? '';
    await writeFile(bad, Buffer.from([255]));
    await expect(client.scoreFiles(files, { inputName: 'images' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: `${bad}: Input is empty.`,
    });
  });

  it('one of which is not there fail before anything is sent', async () => {
    const client = connect({ address: '127.0.0.1:1' });
    const call = client.scoreFile(path.join(directory, 'nowhere.jpg'), { inputName: 'images' });
    await expect(call).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('a server of a model', () => {
  let runtime: Awaited<ReturnType<typeof bundleScoringRuntime>>;
  beforeAll(async () => {
    runtime = await bundleScoringRuntime();
  });
  afterAll(() => runtime?.remove());

  it('is asked for the input that takes images', async () => {
    const server = new ScoringProcess(runtime.app);
    try {
      const [golden] = GOLDENS;
      const file = path.join(directory, 'golden.jpg');
      await writeFile(file, golden?.photo ?? '');
      const client = connect({ address: await server.address(), model: 'tiny' });
      const { outputs, model, modelDigest } = await client.scoreFile(file, { outputs: ['output_alias'] });
      expect(Object.keys(outputs)).toEqual(['output_alias']);
      expect(outputs.output_alias?.shape).toEqual([5]);
      expect(outputs.output_alias?.values[0]).toBeCloseTo(golden?.outputs.output_alias?.[0] ?? NaN, 5);
      expect(model).toEqual({ name: 'tiny', version: 3 });
      expect(modelDigest).toMatch(/^sha256:/);
    } finally {
      await server.kill();
    }
  });

  it('that takes tensors is not sent photos', async () => {
    const tensors = await makeTensorModel('DT_FLOAT');
    const server = new ScoringProcess(runtime.app, { MODEL_DIR: tensors.directory });
    try {
      const client = connect({ address: await server.address(), model: 'tiny' });
      const [file = ''] = await numberedFiles(1);
      await expect(client.scoreFile(file)).rejects.toMatchObject({
        code: 'FAILED_PRECONDITION',
        message: 'the model takes no photos: its input x is DT_FLOAT of shape [-1, 4, 4, 3]',
      });
    } finally {
      await server.kill();
      await tensors.remove();
    }
  });
});
