import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stackEnvironment } from '../../src/cli/local/stack.js';
import { repository, TestStack } from '../fixtures/e2e/stack.js';

let local: TestStack;
beforeAll(async () => {
  local = await TestStack.start();
});
afterAll(() => local?.stop());

describe("the health check of a worker's container", () => {
  const check = (env: Record<string, string>) =>
    execa(process.execPath, [path.join(repository, 'docker/worker-health.mjs')], {
      env: { ...stackEnvironment(local.stack.temporal, local.stack.azure), ...env },
      reject: false,
    });

  it('passes where Temporal has seen the worker', async () => {
    expect(await check({})).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it.each([
    { TEMPORAL_NAMESPACE: 'elsewhere' },
    // A port that nobody listens on: discard, of the reserved ones.
    { TEMPORAL_ADDRESS: '127.0.0.1:9' },
  ])('fails where it polls nothing: %o', async (env) => {
    expect(await check(env)).toMatchObject({ exitCode: 1 });
  });
});
