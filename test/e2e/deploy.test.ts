import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeployResult } from '../../src/client.js';
import { newDeploymentId } from '../../src/deployment/identity.js';
import { STEPS } from '../../src/deployment/steps.js';
import { secondsOf } from '../fixtures/e2e/journal.js';
import { photo, PHOTOS, sampleSpec, TestStack } from '../fixtures/e2e/stack.js';

let local: TestStack;
beforeAll(async () => {
  local = await TestStack.start();
});
afterAll(() => local?.stop());

describe('a SavedModel with real weights', () => {
  const service = 'featurizer';
  const deploymentId = newDeploymentId();
  let result: DeployResult;

  it('becomes a live service that was scored before and after it went live', async () => {
    const handle = await local.client.startDeployment(sampleSpec(service), { deploymentId });
    result = await handle.result();

    expect(result.scores.map(({ image, top5 }) => [image, top5[0]?.index])).toEqual(
      PHOTOS.map(({ name, expect: index }) => [name, index]),
    );
    expect(result.timings.map(({ step }) => step)).toEqual([...STEPS]);
    const progress = await handle.progress();
    expect(progress).toMatchObject({ state: 'deployed', undo: [], residue: [] });
  });

  it('is not deployed again by a repeated start, whose undo would remove it', async () => {
    const again = await local.client.startDeployment(sampleSpec(service), { deploymentId });
    expect(await again.result()).toEqual(result);
    expect(again.runId).toBe((await local.client.getDeployment(service)).runId);
  });

  it('answers the client through its public address', async () => {
    const [score] = await local.client.score(service, [photo('coffee.jpg')]);
    expect(score?.classes?.[0]).toMatchObject({ index: 967 });
    expect(score?.classes?.[0]?.label).toMatch(/espresso/);
    expect(score?.classes?.[0]?.confidence).toBeGreaterThan(0.9);
  });

  it('is deployed again without a call that changes anything', async () => {
    const before = await local.azure.lastSeq();
    const handle = await local.client.startDeployment(sampleSpec(service));
    const again = await handle.result();
    const { release, address, scores } = result;
    expect(again).toMatchObject({ outcome: 'unchanged', release, address, scores });
    expect((await handle.progress()).state).toBe('unchanged');
    const calls = await local.azure.journal(before);
    expect(calls.filter(({ effect }) => effect !== undefined && effect.change !== 'unchanged')).toEqual([]);
    console.log(`unchanged: ${calls.length} calls to Azure within ${secondsOf(calls).toFixed(2)} s`);
    expect((await local.client.score(service, [photo('coffee.jpg')]))[0]?.classes?.[0]).toMatchObject({ index: 967 });
  });

  it('serves on, whole, when a deployment that was to replace it fails', async () => {
    const { uid } = local.client.identify(service);
    const before = await local.azure.ownedBy(uid);
    const handle = await local.client.startDeployment(
      sampleSpec(service, {
        scoring: { memory: '3Gi', connectionAgeSeconds: 5 },
        smoke: { photos: [{ path: photo('chelsea.jpg'), expect: 967 }] },
      }),
    );
    await expect(handle.result()).rejects.toMatchObject({ code: 'ExpectedClassMissing', residue: [] });
    expect((await local.azure.ownedBy(uid)).sort()).toEqual(before.sort());
    expect(await local.client.score(service, [photo('coffee.jpg')])).toHaveLength(1);
  });

  it('is replaced by a changed deployment without a moment in which nobody answers', async () => {
    const handle = await local.client.startDeployment(
      sampleSpec(service, { scoring: { memory: '2Gi', connectionAgeSeconds: 5 } }),
    );
    let ended = false;
    const next = handle.result().finally(() => (ended = true));
    let answers = 0;
    while (!ended) {
      await local.client.score(service, [photo('coffee.jpg')]);
      answers++;
    }
    const changed = await next;
    expect(answers).toBeGreaterThan(0);
    expect(changed.release).not.toBe(result.release);
    expect(changed.address).toBe(result.address);
    const deployments = (await local.azure.inventory()).filter(
      ({ kind, name }) => kind === 'deployment' && name.startsWith(service),
    );
    expect(deployments.map(({ name }) => name)).toEqual([`${service}-${changed.image.tag}`]);
  });

  it('is taken down in order, and leaves nothing that carries its mark', async () => {
    const before = await local.azure.lastSeq();
    const handle = await local.client.startTeardown(service, { withCluster: true });
    const { removed, residue } = await handle.result();
    expect(removed.map(({ kind }) => kind).slice(0, 4)).toEqual([
      'service',
      'image',
      'registered-model',
      'converted-model',
    ]);
    expect(removed.at(-1)?.kind).toBe('cluster');
    expect(residue).toEqual([]);
    expect(await local.azure.ownedBy(local.client.identify(service).uid)).toEqual([]);
    const deleted = (await local.azure.journal(before)).filter(({ effect }) => effect?.change === 'deleted');
    expect(deleted.length).toBeGreaterThan(0);
  });
});
