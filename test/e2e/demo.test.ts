import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RANK, STEPS } from '../../src/deployment/steps.js';
import { PHOTOS, repository, shareCaches } from '../fixtures/e2e/stack.js';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'slipway-demo-'));
  await shareCaches(home);
});
afterEach(() => rm(home, { recursive: true, force: true }));

interface Report {
  readonly ok: boolean;
  readonly steps: { name: string; state: string; seconds: number }[];
  readonly scores: { image: string; classes: { index: number; label: string; confidence: number }[] }[];
  readonly teardown: string[];
  readonly residue: unknown[];
}

/** Runs `npm run demo -- ARGS --json` and reads its last line. */
async function demo(...args: string[]): Promise<Report> {
  const { stdout } = await promisify(execFile)('npm', ['run', 'demo', '--', ...args, '--json'], {
    cwd: repository,
    env: { ...process.env, SLIPWAY_HOME: home },
    maxBuffer: 64 * 2 ** 20,
  });
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Report;
}

describe('npm run demo', () => {
  it('deploys, scores and deletes, and says so as one object', async () => {
    const { ok, steps, scores, teardown, residue } = await demo();
    expect({ ok, residue }).toEqual({ ok: true, residue: [] });
    expect(steps.map(({ name, state }) => `${name} ${state}`)).toEqual(STEPS.map((name) => `${name} done`));
    expect(scores.map(({ image, classes }) => [image, classes[0]?.index, classes.length])).toEqual(
      PHOTOS.map(({ name, expect: index }) => [name, index, 5]),
    );
    expect(teardown.slice(0, 4)).toEqual(['service', 'image', 'registered-model', 'converted-model']);
    expect(teardown.at(-1)).toBe('cluster');
  });

  it('--fail-at shows the undo of what was begun', async () => {
    const { ok, steps, teardown, residue } = await demo('--fail-at', 'service');
    expect({ ok, residue }).toEqual({ ok: true, residue: [] });
    expect(steps.find(({ state }) => state === 'failed')?.name).toBe('service');
    expect(teardown).toEqual([...RANK]);
  });
});
