import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSpec } from '../../src/client/spec-file.js';
import { readFiles } from '../../src/client/uploads.js';

const minimal = `service: flowers
model:
  path: model
smoke:
  photos:
    - path: rose.jpg
      expect: 3
`;

describe('a deployment file', () => {
  let directory: string;
  let file: string;

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'slipway-spec-'));
    file = path.join(directory, 'deployment.yaml');
  });
  afterAll(() => rm(directory, { recursive: true }));

  it('is read with its defaults and its directory', async () => {
    await writeFile(file, minimal);
    const { spec, directory: found } = await readSpec(file);
    expect(found).toBe(directory);
    expect(spec).toMatchObject({
      service: 'flowers',
      model: { path: 'model', signature: 'serving_default', input: 'images', outputs: ['output_alias'] },
      scoring: { auth: 'key', replicas: 1 },
      onFailure: 'undo',
      keepReleases: 2,
    });
  });

  it.each([
    ['a photo that is missing', {}, 'FileNotFound'],
    ['a photo that is no JPEG', { 'rose.jpg': 'PNG' }, 'NotAJpeg'],
    ['a model directory without saved_model.pb', { 'rose.jpg': '\xff\xd8\xff\xda\x00\x02\xff\xd9' }, 'NotASavedModel'],
  ])('with %s is refused before anything is sent', async (_what, files, code) => {
    await writeFile(file, minimal);
    for (const [name, content] of Object.entries(files)) await writeFile(path.join(directory, name), content, 'latin1');
    await expect(readFiles(await readSpec(file))).rejects.toMatchObject({ code });
  });
});
