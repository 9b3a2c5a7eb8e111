import { cp, mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ChangeFailed, type DeploymentHandle } from '../../src/client.js';
import { FAULTS } from '../../src/cli/demo/faults.js';
import { home } from '../../src/cli/local/home.js';
import { STEPS, type Step } from '../../src/deployment/steps.js';
import { photo, sampleSpec, TestStack } from '../fixtures/e2e/stack.js';

let local: TestStack;
beforeAll(async () => {
  local = await TestStack.start();
});
afterEach(() => local?.azure.clearFaults());
afterAll(() => local?.stop());

/** A photo of a cat that is said to show an espresso: whatever answers, the smoke step refuses it. */
const WRONG_EXPECTATION = { smoke: { photos: [{ path: photo('chelsea.jpg'), expect: 967 }] } };

/** Checks that the deployment failed at the step and that nothing of it is left; returns the failure. */
async function expectUndone(handle: DeploymentHandle, step: Step): Promise<ChangeFailed> {
  const failure = await handle.result().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ChangeFailed);
  const progress = await handle.progress();
  expect(progress.steps.filter(({ state }) => state === 'failed').map(({ name }) => name)).toEqual([step]);
  expect(progress).toMatchObject({ state: 'failed', residue: [] });
  expect(progress.undo.every(({ state }) => state === 'removed')).toBe(true);
  expect(await local.azure.ownedBy(local.client.identify(handle.service).uid)).toEqual([]);
  return failure as ChangeFailed;
}

describe('a step that fails for good: what was begun is undone, and nothing of ours is left', () => {
  it.each(STEPS.filter((step) => step !== 'smoke'))('%s', async (step) => {
    await local.azure.fault({ name: step, ...FAULTS[step] });
    await expectUndone(await local.client.startDeployment(sampleSpec(`fails-at-${step}`)), step);
    expect((await local.azure.fired())[step]).toBeGreaterThan(0);
  });

  it('smoke: a service that scores wrongly never goes live', async () => {
    const service = 'fails-at-smoke';
    const handle = await local.client.startDeployment(sampleSpec(service, WRONG_EXPECTATION));
    const { code } = await expectUndone(handle, 'smoke');
    expect(code).toBe('ExpectedClassMissing');
    const publicService = (await local.azure.journal()).filter(
      ({ effect }) => effect?.kind === 'service' && effect.id.endsWith(`/${service}`),
    );
    expect(publicService).toEqual([]);
  });

  it('convert: a job that fails gives the end of its log as the reason', async () => {
    const model = await mkdtemp(path.join(tmpdir(), 'slipway-damaged-'));
    try {
      await cp(home('models', 'efficientnet-lite0'), model, { recursive: true });
      await truncate(path.join(model, 'variables', 'variables.data-00000-of-00001'), 1000);
      const spec = sampleSpec('damaged-variables', { model: { path: model, name: 'damaged-variables' } });
      const { message } = await expectUndone(await local.client.startDeployment(spec), 'convert');
      expect(message).toMatch(/TensorFlow could not load the SavedModel/);
    } finally {
      await rm(model, { recursive: true });
    }
  });
});

it('a SavedModel without the named signature is refused before anything is sent', async () => {
  const spec = sampleSpec('no-such-signature');
  const before = await local.azure.now();
  const start = local.client.startDeployment({ ...spec, model: { ...spec.model, signature: 'absent' } });
  await expect(start).rejects.toMatchObject({
    code: 'SignatureNotFound',
    message: expect.stringMatching(/it has \S.*serving_default/) as string,
  });
  expect(await local.azure.journal(before)).toEqual([]);
});

it('onFailure keep leaves what was begun for a look, and a teardown takes it away', async () => {
  const service = 'kept';
  const handle = await local.client.startDeployment(sampleSpec(service, { ...WRONG_EXPECTATION, onFailure: 'keep' }));
  await expect(handle.result()).rejects.toBeInstanceOf(ChangeFailed);
  const { uid } = local.client.identify(service);
  expect((await local.azure.ownedBy(uid)).map((item) => item.split(' ')[0])).toEqual(
    expect.arrayContaining(['managed-cluster', 'deployment', 'model-version', 'role-assignment']),
  );
  await (await local.client.startTeardown(service, { withCluster: true })).result();
  expect(await local.azure.ownedBy(uid)).toEqual([]);
});

it('a cancelled deployment is undone', async () => {
  const service = 'cancelled';
  const handle = await local.client.startDeployment(sampleSpec(service));
  for await (const { waits } of handle.watch()) {
    if (waits.some(({ activity }) => activity === 'awaitCluster')) break;
  }
  await handle.cancel();
  await expect(handle.result()).rejects.toBeInstanceOf(ChangeFailed);
  expect(await handle.progress()).toMatchObject({ state: 'cancelled', residue: [] });
  expect(await local.azure.ownedBy(local.client.identify(service).uid)).toEqual([]);
});
