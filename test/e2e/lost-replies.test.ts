import { afterAll, beforeAll, expect, it } from 'vitest';
import { creations, repeatsThatChanged } from '../fixtures/e2e/journal.js';
import { sampleSpec, TestStack } from '../fixtures/e2e/stack.js';

let local: TestStack;
beforeAll(async () => {
  local = await TestStack.start();
});
afterAll(() => local?.stop());

const SERVICE = 'lossy';

/** The calls that write: each commits, and the connection is reset before the reply. */
const WRITES = [
  { service: 'arm', method: 'PUT' },
  { service: 'registry', method: 'PUT' },
  { service: 'kubernetes', method: 'POST', path: '/(deployments|services|secrets)$' },
];

it('a lost reply of every call that creates something neither fails the deployment nor creates anything twice', async () => {
  for (const match of WRITES) {
    await local.azure.inject({
      name: match.service,
      match: { ...match, eachPath: true },
      when: 'after',
      then: { reset: true },
    });
  }
  const before = await local.azure.lastSeq();
  const handle = await local.client.startDeployment(sampleSpec(SERVICE));
  await handle.result();
  const journal = await local.azure.journal(before);
  await local.azure.clearFaults();

  const lost = journal.filter(({ fault }) => fault !== undefined);
  const kinds = new Set(creations(lost).map(({ effect }) => effect?.kind));
  expect([...kinds].sort()).toEqual([
    'code',
    'deployment',
    'environment',
    'job',
    'managed-cluster',
    'model-container',
    'model-version',
    'registry-blob',
    'role-assignment',
    'secret',
    'service',
    'tag',
  ]);
  expect(repeatsThatChanged(journal)).toEqual([]);
  const writes = journal.filter((entry) =>
    WRITES.some(({ service, method }) => entry.service === service && entry.method === method),
  );
  const firsts = new Map(writes.reverse().map((entry) => [entry.path, entry]));
  expect([...firsts.values()].filter(({ fault, effect }) => effect?.change === 'created' && !fault)).toEqual([]);

  await (await local.client.startTeardown(SERVICE, { withCluster: true })).result();
  expect(await local.azure.ownedBy(local.client.identify(SERVICE).uid)).toEqual([]);
});
