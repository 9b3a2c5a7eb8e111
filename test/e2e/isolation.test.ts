import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SlipwayClient } from '../../src/client.js';
import { runningStack, stackEnvironment } from '../../src/cli/local/stack.js';
import { photo, PHOTOS, repository, sampleSpec, shareCaches } from '../fixtures/e2e/stack.js';

/** What of a clone `slipway up` needs to start. */
const CLONE = ['bin', 'conversion', 'dist', 'node_modules', 'package.json', 'samples', 'scripts', 'src'];
/** What pods and jobs must do without. */
const HIDDEN = ['node_modules', 'src', 'conversion'];

let clone: string;
let terminal: ChildProcess;

beforeAll(async () => {
  clone = await mkdtemp(path.join(tmpdir(), 'slipway-clone-'));
  // Hard links: a copy of the clone in seconds, whose directories can be moved without touching this one.
  const entries = CLONE.map((name) => path.join(repository, name));
  await promisify(execFile)('cp', ['--archive', '--link', ...entries, clone]);
  const home = path.join(clone, '.slipway');
  await shareCaches(home);
  process.env['SLIPWAY_HOME'] = home;
  terminal = spawn(process.execPath, [path.join(clone, 'bin/slipway.mjs'), 'up'], {
    cwd: clone,
    stdio: 'ignore',
    env: { ...process.env, SLIPWAY_HOME: home },
  });
  while (!(await runningStack())) {
    if (terminal.exitCode !== null) throw new Error(`slipway up ended with ${terminal.exitCode}`);
    await sleep(200);
  }
});
afterAll(async () => {
  const ended = once(terminal, 'exit');
  terminal.kill('SIGINT');
  await ended;
  await rm(clone, { recursive: true, force: true });
});

it('jobs and pods use nothing of the repository: the flow ends without its packages, sources and conversion', async () => {
  const stack = await runningStack();
  if (!stack) throw new Error('the stack is gone');
  const { subscriptionId, resourceGroup, workspaceName } = stack.azure;
  const client = await SlipwayClient.connect({
    workspace: { subscriptionId, resourceGroup, workspaceName },
    environment: { ...process.env, ...stackEnvironment(stack.temporal, stack.azure) },
  });
  try {
    const handle = await client.startDeployment(sampleSpec('isolated'));
    for await (const { waits, open } of handle.watch()) {
      if (waits.some(({ activity }) => activity === 'awaitConversion')) break;
      expect(open).toBe(true);
    }
    for (const name of HIDDEN) await rename(path.join(clone, name), path.join(clone, `${name}.away`));

    const { scores } = await handle.result();
    expect(scores.map(({ top5 }) => top5[0]?.index)).toEqual(PHOTOS.map(({ expect: index }) => index));
    expect(await client.score('isolated', [photo('rocket.jpg')])).toHaveLength(1);
    await (await client.startTeardown('isolated', { withCluster: true })).result();
  } finally {
    await client.close();
    for (const name of HIDDEN)
      await rename(path.join(clone, `${name}.away`), path.join(clone, name)).catch(() => undefined);
  }
});
