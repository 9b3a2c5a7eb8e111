import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ChangeFailed } from '../../src/client.js';
import { FAULTS } from '../../src/cli/demo/faults.js';
import { STEPS } from '../../src/deployment/steps.js';
import { photo, sampleSpec, TestStack } from '../fixtures/e2e/stack.js';

let local: TestStack;
beforeAll(async () => {
  local = await TestStack.start();
});
afterEach(() => local?.azure.clearFaults());
afterAll(() => local?.stop());

describe('a step that fails for good', () => {
  it.each(STEPS)('%s: what was begun is undone, and nothing of ours is left', async (step) => {
    const service = `fails-at-${step}`;
    const fault = { name: step, ...FAULTS[step] };
    await local.azure.fault(fault);
    const handle = await local.client.startDeployment(sampleSpec(service));
    await expect(handle.result()).rejects.toBeInstanceOf(ChangeFailed);

    const progress = await handle.progress();
    expect(progress.steps.filter(({ state }) => state === 'failed').map(({ name }) => name)).toEqual([step]);
    expect(progress).toMatchObject({ state: 'failed', residue: [] });
    expect(progress.undo.every(({ state }) => state === 'removed')).toBe(true);
    expect((await local.azure.fired())[fault.name]).toBeGreaterThan(0);
    expect(await local.azure.ownedBy(local.client.identify(service).uid)).toEqual([]);
  });
});

describe('a conversion that cannot succeed', () => {
  it('fails with the last lines of the job’s log, and everything is undone', async () => {
    const service = 'no-such-signature';
    const spec = sampleSpec(service);
    const handle = await local.client.startDeployment({ ...spec, model: { ...spec.model, signature: 'absent' } });
    const failure = await handle.result().catch((error: unknown) => error);

    expect(failure).toBeInstanceOf(ChangeFailed);
    expect((failure as ChangeFailed).message).toMatch(/serving_default/);
    expect(await local.azure.ownedBy(local.client.identify(service).uid)).toEqual([]);
  });
});

describe('a service that scores wrongly', () => {
  it('never goes live: the smoke step fails and the public Service is not made', async () => {
    const service = 'wrong-class';
    const handle = await local.client.startDeployment(
      sampleSpec(service, { smoke: { photos: [{ path: photo('chelsea.jpg'), expect: 967 }] } }),
    );
    const failure = await handle.result().catch((error: unknown) => error);
    expect((failure as ChangeFailed).message).toMatch(/ExpectedClassMissing/);
    const services = (await local.azure.journal()).filter(
      ({ effect, service: by }) =>
        by === 'kubernetes' && effect?.kind === 'service' && effect.id.endsWith(`/${service}`),
    );
    expect(services).toEqual([]);
  });
});

it('onFailure keep leaves what was begun for a look', async () => {
  const service = 'kept';
  await local.azure.fault({ name: 'smoke', ...FAULTS.smoke });
  const handle = await local.client.startDeployment(sampleSpec(service, { onFailure: 'keep' }));
  await expect(handle.result()).rejects.toBeInstanceOf(ChangeFailed);
  const left = await local.azure.ownedBy(local.client.identify(service).uid);
  expect(left.map((item) => item.split(' ')[0])).toEqual(
    expect.arrayContaining(['managed-cluster', 'deployment', 'model-version', 'role-assignment']),
  );
  await local.azure.clearFaults();
  await (await local.client.startTeardown(service, { withCluster: true })).result();
  expect(await local.azure.ownedBy(local.client.identify(service).uid)).toEqual([]);
});
