import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readModelTags } from '../../src/client/model-tags.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'slipway-model-tags-'));
  await mkdir(path.join(directory, 'assets.extra'));
});
afterEach(() => rm(directory, { recursive: true }));

it('reads the tags that a SavedModel carries', async () => {
  await writeFile(path.join(directory, 'assets.extra', 'tags.json'), '{"weights": "none (random, seed 1)"}\n');
  expect(await readModelTags(directory)).toEqual({ weights: 'none (random, seed 1)' });
});

it.each([
  ['no file', undefined],
  ['no JSON', 'weights'],
  ['something else than tags', '{"weights": 1}'],
])('finds none in %s', async (_case, content) => {
  if (content !== undefined) await writeFile(path.join(directory, 'assets.extra', 'tags.json'), content);
  expect(await readModelTags(directory)).toEqual({});
});
