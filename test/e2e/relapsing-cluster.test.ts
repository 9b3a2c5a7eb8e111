import { afterAll, beforeAll, expect, it } from 'vitest';
import { sampleSpec, TestStack } from '../fixtures/e2e/stack.js';

const SERVICE = 'relapsing';
const cluster = `/managedClusters/slipway-${SERVICE}$`;

let local: TestStack;
beforeAll(async () => {
  local = await TestStack.start();
});
afterAll(() => local?.stop());

it('a cluster that is Updating again once it has succeeded, and does not come out of it, is deployed to and taken down', async () => {
  await local.azure.inject({
    name: 'relapse',
    match: { method: 'PUT', path: cluster },
    when: 'operation',
    then: { relapse: true },
  });
  await local.azure.inject({
    name: 'stuck',
    match: { method: 'GET', path: cluster, state: 'Succeeded' },
    when: 'operation',
    then: { stuck: true },
  });
  const { outcome } = await (await local.client.startDeployment(sampleSpec(SERVICE))).result();
  expect(outcome).toBe('deployed');
  expect(await local.azure.fired()).toEqual({ relapse: 1, stuck: 1 });

  await (await local.client.startTeardown(SERVICE, { withCluster: true })).result();
  expect(await local.azure.ownedBy(local.client.identify(SERVICE).uid)).toEqual([]);
});
