import { randomUUID } from 'node:crypto';
import getPort from 'get-port';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectToAzure } from '../../src/azure/connection.js';
import { stackEnvironment } from '../../src/cli/local/stack.js';
import { photo, PHOTOS, sampleSpec, TestStack } from '../fixtures/e2e/stack.js';

const SERVICE = 'elsewhere';
const place = { host: 'localhost', subscription: randomUUID(), tenant: randomUUID(), region: 'westeurope' };

let local: TestStack;
let port: number;

beforeAll(async () => {
  port = await getPort();
  const flags = Object.entries({ ...place, port }).flatMap(([name, value]) => [`--${name}`, String(value)]);
  local = await TestStack.start(flags);
});
afterAll(() => local?.stop());

it('an Azure with another host name, port, authority, subscription, tenant and region differs in its connection file only', async () => {
  const { arm, authorityHost, subscriptionId, tenantId, resourceGroup } = local.stack.azure;
  expect({ arm, authorityHost, subscriptionId, tenantId }).toEqual({
    arm: `https://localhost:${port}`,
    authorityHost: `https://localhost:${port}`,
    subscriptionId: place.subscription,
    tenantId: place.tenant,
  });

  const { scores } = await (await local.client.startDeployment(sampleSpec(SERVICE))).result();
  expect(scores.map(({ top5 }) => top5[0]?.index)).toEqual(PHOTOS.map(({ expect: index }) => index));
  expect(await local.client.score(SERVICE, [photo('rocket.jpg')])).toHaveLength(1);

  const { uid } = local.client.identify(SERVICE);
  const kinds = (await local.azure.ownedBy(uid)).map((item) => item.split(' ')[0]);
  expect(kinds).toEqual(expect.arrayContaining(['managed-cluster', 'model-version', 'manifest']));
  const paths = (await local.azure.journal()).filter(({ service }) => service === 'arm').map(({ path }) => path);
  expect(paths.filter((path) => !path.startsWith(`/subscriptions/${place.subscription}`))).toEqual([]);
  const azure = connectToAzure(stackEnvironment(local.stack.temporal, local.stack.azure));
  const clusters = azure.containerService(subscriptionId).managedClusters.listByResourceGroup(resourceGroup);
  for await (const { location } of clusters) expect(location).toBe(place.region);

  await (await local.client.startTeardown(SERVICE, { withCluster: true })).result();
  expect(await local.azure.ownedBy(uid)).toEqual([]);
});
