import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ChangeFailed } from '../../src/client.js';
import { FAULTS } from '../../src/cli/demo/faults.js';
import { STEPS } from '../../src/deployment/steps.js';
import { photo, sampleSpec, TestStack } from '../fixtures/e2e/stack.js';
import { expectUndone } from '../fixtures/e2e/undone.js';

let local: TestStack;
beforeAll(async () => {
  local = await TestStack.start();
});
afterEach(() => local?.azure.clearFaults());
afterAll(() => local?.stop());

/** A photo of a cat that is said to show an espresso: whatever answers, the smoke step refuses it. */
const WRONG_EXPECTATION = { smoke: { photos: [{ path: photo('chelsea.jpg'), expect: 967 }] } };

describe('a step that fails for good: what was begun is undone, and nothing of ours is left', () => {
  it.each(STEPS.filter((step) => step !== 'smoke'))('%s', async (step) => {
    await local.azure.inject({ name: step, ...FAULTS[step] });
    await expectUndone(local, await local.client.startDeployment(sampleSpec(`fails-at-${step}`)), step);
    expect((await local.azure.fired())[step]).toBeGreaterThan(0);
  });

  it('smoke: a service that scores wrongly never goes live', async () => {
    const service = 'fails-at-smoke';
    const handle = await local.client.startDeployment(sampleSpec(service, WRONG_EXPECTATION));
    const { code } = await expectUndone(local, handle, 'smoke');
    expect(code).toBe('ExpectedClassMissing');
    const publicService = (await local.azure.journal()).filter(
      ({ effect }) => effect?.kind === 'service' && effect.id.endsWith(`/${service}`),
    );
    expect(publicService).toEqual([]);
  });
});

it('a SavedModel without the named signature is refused before anything is sent', async () => {
  const spec = sampleSpec('no-such-signature');
  const before = await local.azure.lastSeq();
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
