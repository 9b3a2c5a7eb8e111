import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emulatorEntry } from '../fixtures/emulator.js';
import { photo, repository } from '../fixtures/e2e/stack.js';

const spec = `service: flowers
model:
  source: azureml:flowers:1
smoke:
  photos:
    - path: rose.jpg
`;
const workspace = `{
  "subscription_id": "6f0c1c9e-51a1-4a57-9d3b-5a1f1f0a0001",
  "resource_group": "yard",
  "workspace_name": "slipway"
}`;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'slipway-bad-input-'));
  await mkdir(path.join(directory, 'empty'));
  await mkdir(path.join(directory, 'garden'));
  const files = {
    'good.yaml': spec,
    'bad.yaml': spec.replace('service: flowers', 'service: Flowers').replace('smoke', 'somke'),
    'no-photo.yaml': spec.replace('rose.jpg', 'rsoe.jpg'),
    'png.yaml': spec.replace('rose.jpg', 'rose.png'),
    'no-calibration.yaml': `${spec}conversion:\n  quantize: { to: int8, calibration: empty }\n`,
    'overlap.yaml': `${spec}conversion:\n  quantize: { to: int8, calibration: garden }\n`,
    'no-model.yaml': spec.replace('source: azureml:flowers:1', 'path: empty'),
    'rose.png': '\x89PNG\r\n',
    'config.json': workspace,
    'bad.json': workspace.replace('"yard",', '"yard"'),
    file: '',
  };
  for (const [name, content] of Object.entries(files)) await writeFile(path.join(directory, name), content, 'latin1');
  for (const name of ['rose.jpg', 'garden/flower.jpg']) await cp(photo('coffee.jpg'), path.join(directory, name));
});
afterAll(() => rm(directory, { recursive: true }));

/** Nothing listens at any address that is given: neither Temporal nor Azure can have been asked for anything. */
const CLOSED = { TEMPORAL_ADDRESS: '127.0.0.1:1', SLIPWAY_AZURE_ENDPOINT: 'https://127.0.0.1:1' };

/** Runs the command in a directory of its own, with a home of its own. */
async function slipway(args: string[], env: Record<string, string> = {}, cwd = directory) {
  const home = { SLIPWAY_HOME: path.join(directory, 'home'), NO_COLOR: '1' };
  const command = [path.join(repository, 'bin/slipway.mjs'), ...args];
  return execa(process.execPath, command, { cwd, env: { ...CLOSED, ...home, ...env }, reject: false });
}

describe('the command refuses', () => {
  it.concurrent.each([
    ['an unknown option', ['deploy', 'good.yaml', '--quick'], 1, /unknown option '--quick'/],
    [
      'a deployment file with mistakes',
      ['deploy', 'bad.yaml'],
      3,
      /InvalidSpec · bad\.yaml:\n {2}line 1, column 1: smoke is missing[^]*line 1, column 10: service takes[^]*line 4, column 1: somke is no member; did you mean smoke\?/,
    ],
    [
      'a deployment file that is not there',
      ['deploy', 'godo.yaml'],
      3,
      /FileNotFound · There is no file godo\.yaml[^]*fix: Did you mean good\.yaml\?/,
    ],
    [
      'a photo that is not there',
      ['deploy', 'no-photo.yaml'],
      3,
      /FileNotFound · .*rsoe\.jpg[^]*fix: Did you mean .*rose\.jpg\?/,
    ],
    ['a photo that is no JPEG', ['deploy', 'png.yaml'], 3, /NotAJpeg · .*rose\.png is not a JPEG: it is a PNG/],
    [
      'a model that is none',
      ['deploy', 'no-model.yaml'],
      3,
      /NotASavedModel · .*empty is empty[^]*fix: Name the directory/,
    ],
    [
      'int8 without calibration photos',
      ['deploy', 'no-calibration.yaml'],
      3,
      /CalibrationEmpty · There are no calibration photos in .*empty\n {2}fix: Put some tens of JPEGs/,
    ],
    [
      'int8 that is calibrated on what it is tested with',
      ['deploy', 'overlap.yaml'],
      3,
      /CalibrationOverlap · .*garden\/flower\.jpg \(rose\.jpg\)\n {2}fix: Take them out/,
    ],
    [
      'a config.json that is not JSON',
      ['deploy', 'good.yaml', '--config', 'bad.json'],
      3,
      /InvalidWorkspaceConfig · bad\.json: line 4, column 3: is not JSON/,
    ],
    [
      'to score what is no photo',
      ['score', 'flowers', 'good.yaml'],
      3,
      /NotAPhoto · good\.yaml is neither .*: it is text/,
    ],
    [
      'to work without Temporal',
      ['deploy', 'good.yaml'],
      6,
      /TemporalUnreachable · Temporal does not answer at 127\.0\.0\.1:1: nothing listens there[^]*fix: Start the local parts with `slipway up`/,
    ],
  ])('%s', async (_what, args, code, words) => {
    const { exitCode, stdout, stderr } = await slipway(args);
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: code,
      stdout: '',
      stderr: expect.stringMatching(words) as string,
    });
    expect(stderr).not.toMatch(/^ {4}at /m);
  });

  it('to work without a config.json', async () => {
    const { exitCode, stdout, stderr } = await slipway(['status'], {}, path.join(directory, '..'));
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
    expect(stderr).toMatch(/NoWorkspaceConfig · There is no config\.json in .* or above\n {2}fix: Download it/);
  });

  it('to keep its state below a file', async () => {
    const { exitCode, stdout, stderr } = await slipway(['up'], { SLIPWAY_HOME: path.join(directory, 'file', 'home') });
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
    expect(stderr).toMatch(/StateNotWritable · .*file\/home\S* cannot be written[^]*fix: Set SLIPWAY_HOME/);
  });
});

describe('the local Azure refuses', () => {
  const localAzure = (...args: string[]) => execa(process.execPath, [emulatorEntry, ...args], { reject: false });

  it('a state directory that cannot be made', async () => {
    const { exitCode, stdout, stderr } = await localAzure('--state', path.join(directory, 'file', 'azure'));
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toMatch(/^ENOTDIR: .*file\/azure.*\n.*--state DIR/);
  });

  it('a port that is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    try {
      const { exitCode, stdout, stderr } = await localAzure(
        '--state',
        path.join(directory, 'azure'),
        '--port',
        String(port),
      );
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
      expect(stderr).toMatch(
        new RegExp(
          `^port ${port} of 127\\.0\\.0\\.1.* is taken by another process: stop that, or give another port with --port`,
        ),
      );
    } finally {
      other.close();
    }
  });
});
