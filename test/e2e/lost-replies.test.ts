import { afterAll, beforeAll, expect, it } from 'vitest';
import { creations, pathPattern, repeatsThatChanged } from '../fixtures/e2e/journal.js';
import type { JournalEntry } from '../fixtures/e2e/local-azure.js';
import { sampleSpec, TestStack } from '../fixtures/e2e/stack.js';

let local: TestStack;
beforeAll(async () => {
  local = await TestStack.start();
});
afterAll(() => local?.stop());

const SERVICE = 'lossy';
/** The same id for both runs, so that both make the same calls. */
const DEPLOYMENT = 'dlostreplies';

/** Runs the whole flow and takes it down again; returns what the local Azure was asked meanwhile. */
async function flow(): Promise<JournalEntry[]> {
  const before = await local.azure.now();
  const handle = await local.client.startDeployment(sampleSpec(SERVICE), { deploymentId: DEPLOYMENT });
  await handle.result();
  const journal = await local.azure.journal(before);
  await (await local.client.startTeardown(SERVICE, { withCluster: true })).result();
  return journal;
}

it('a lost reply of every call that creates something neither fails the deployment nor creates anything twice', async () => {
  // Learn the calls, then lose the reply of each: the call commits, and the connection is reset.
  const calls = creations(await flow()).filter(({ service }) => service !== 'blob');
  const rules = new Map(
    calls.map(({ service, method, path }) => [
      `${service} ${method} ${path}`,
      { service, method, path: pathPattern(path) },
    ]),
  );
  expect([...rules.values()].filter(({ method }) => method === 'PUT').length).toBeGreaterThan(5);
  for (const [name, match] of rules) {
    await local.azure.fault({ name, match, when: 'after', then: { reset: true } });
  }

  const journal = await flow();
  const fired = await local.azure.fired();
  await local.azure.clearFaults();

  expect(Object.entries(fired).filter(([, times]) => times === 0)).toEqual([]);
  expect(repeatsThatChanged(journal)).toEqual([]);
  expect(await local.azure.ownedBy(local.client.identify(SERVICE).uid)).toEqual([]);
});
