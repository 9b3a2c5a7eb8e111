import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { repository } from '../fixtures/e2e/stack.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'slipway-build-model-'));
});
afterAll(() => rm(directory, { recursive: true }));

/** Runs `slipway models build ARGS` where the user is; the Python environment is that of the clone. */
async function build(...args: string[]) {
  const command = [path.join(repository, 'bin/slipway.mjs'), 'models', 'build', ...args];
  const env = { SLIPWAY_HOME: path.join(repository, '.slipway'), NO_COLOR: '1' };
  return execa(process.execPath, command, { cwd: directory, env, reject: false });
}

it('builds a model where the user is, and prints what it is', async () => {
  const { stdout, exitCode } = await build('efficientnet-lite0', '--weights', 'none', '--classes', '3', '--json');
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    name: 'efficientnet-lite0',
    path: path.join(await realDirectory(), 'efficientnet-lite0'),
    outputs: [{ name: 'output_alias', shape: [-1, 3] }],
    features: { signature: 'features', shape: [-1, 1280] },
    tags: { weights: expect.stringMatching(/^none \(random, seed \d+\)$/) as string },
  });
  const tags = path.join(directory, 'efficientnet-lite0', 'assets.extra', 'tags.json');
  expect(JSON.parse(await readFile(tags, 'utf8'))).toMatchObject({ featurizer: 'efficientnet-lite0' });
});

it.each([
  ['weights that are not there', ['--weights', 'own.h5'], /WeightsNotFound.*own\.h5/s],
  ['weights that are no weights', ['--weights', 'text.h5'], /WeightsDamaged.*text\.h5/s],
  ['a head that is none', ['--weights', 'none', '--head', 'text.h5'], /HeadInvalid.*text\.h5/s],
])('refuses %s by the code that the build gave', async (_case, args, says) => {
  await writeFile(path.join(directory, 'text.h5'), 'text');
  const { stderr, exitCode } = await build('densenet121', '--out', 'refused', ...args);
  expect(stderr).toMatch(says);
  expect(exitCode).not.toBe(0);
  expect(existsSync(path.join(directory, 'refused'))).toBe(false);
});

it('refuses a model that it does not know', async () => {
  const { stderr, exitCode } = await build('resnet51');
  expect(stderr).toMatch(/ModelNotBuilt.*resnet51.*invalid choice/s);
  expect(exitCode).not.toBe(0);
});

/** The temporary directory's real name: where it is a link, programs see what it leads to. */
async function realDirectory(): Promise<string> {
  const { stdout } = await execa('pwd', ['-P'], { cwd: directory });
  return stdout;
}
