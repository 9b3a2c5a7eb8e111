import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeploymentHandle } from '../../src/client.js';
import { creations, repeatsThatChanged } from '../fixtures/e2e/journal.js';
import { photo, sampleSpec, TestStack } from '../fixtures/e2e/stack.js';

let local: TestStack;
beforeAll(async () => {
  local = await TestStack.start();
});
afterAll(() => local?.stop());

/** Resolves when the deployment waits in `activity` with a message that fits. */
async function waitsFor(handle: DeploymentHandle, activity: string, message: RegExp): Promise<void> {
  for await (const { waits, open } of handle.watch()) {
    if (waits.some((wait) => wait.activity === activity && message.test(wait.message ?? ''))) return;
    if (!open) throw new Error(`the deployment ended before ${activity} waited for ${message}`);
  }
}

describe('a worker that is killed', () => {
  it.each([
    { during: 'the conversion job runs', service: 'killed-in-job', activity: 'awaitConversion', message: /Running/ },
    { during: 'the cluster is created', service: 'killed-in-cluster', activity: 'awaitCluster', message: /Creating/ },
  ])(
    'while $during loses nothing, and a new one finishes without creating anything twice',
    async ({ service, activity, message }) => {
      const before = await local.azure.lastSeq();
      // One photo of its own makes a conversion of its own, so that a job really runs.
      const photos = [{ path: photo(activity === 'awaitConversion' ? 'rocket.jpg' : 'chelsea.jpg') }];
      const handle = await local.client.startDeployment(sampleSpec(service, { smoke: { photos } }));
      await waitsFor(handle, activity, message);
      local.killWorker();
      await local.startWorker();
      const result = await handle.result();

      expect(result.scores).toHaveLength(1);
      const journal = await local.azure.journal(before);
      expect(repeatsThatChanged(journal)).toEqual([]);
      const created = creations(journal).map(({ effect }) => effect?.kind);
      expect(created.filter((kind) => kind === 'managed-cluster')).toHaveLength(1);

      await (await local.client.startTeardown(service, { withCluster: true })).result();
      expect(await local.azure.ownedBy(local.client.identify(service).uid)).toEqual([]);
    },
  );
});
