import { ComputeManagementClient } from '@azure/arm-compute';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startEmulator, type TestEmulator } from '../fixtures/emulator.js';
import { clusterParameters, createCluster } from '../fixtures/kubernetes.js';

let emulator: TestEmulator;
let compute: ComputeManagementClient;
beforeAll(async () => {
  emulator = await startEmulator();
  const { credential, endpoints, clientOptions } = emulator;
  compute = new ComputeManagementClient(credential, endpoints.subscriptionId, clientOptions);
});
afterEach(() => emulator.resetQuotas());
afterAll(() => emulator?.stop());

async function all<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of pages) items.push(item);
  return items;
}

const skusOf = (region: string) => all(compute.resourceSkus.list({ filter: `location eq '${region}'` }));
const usagesOf = async (region: string) =>
  new Map((await all(compute.usage.list(region))).map((usage) => [usage.name.value, usage]));

const putCluster = (name: string, location: string, vmSize: string, count = 1) => {
  const { subscriptionId, resourceGroup } = emulator.endpoints;
  const id = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.ContainerService/managedClusters/${name}`;
  const agentPoolProfiles = [{ name: 'nodes', mode: 'System', vmSize, count }];
  const body = { location, identity: { type: 'SystemAssigned' }, properties: { dnsPrefix: name, agentPoolProfiles } };
  return emulator.call('PUT', `${id}?api-version=2025-01-01`, { body });
};

describe('the sizes of a region', () => {
  it('are those that clusters can be made of there', async () => {
    const inEast = await skusOf('eastus');
    expect(inEast.find(({ name }) => name === 'Standard_D4s_v3')).toMatchObject({
      resourceType: 'virtualMachines',
      family: 'standardDSv3Family',
      capabilities: expect.arrayContaining([{ name: 'vCPUs', value: '4' }]) as unknown,
      restrictions: [],
    });
    expect(inEast.map(({ name }) => name)).not.toContain('Standard_PB6s');
    expect(await putCluster('elsewhere', 'eastus', 'Standard_PB6s')).toMatchObject({
      status: 400,
      body: { code: 'VMSizeNotSupported' },
    });
  });

  it('say which a subscription may not use, and it may not', async () => {
    const [size] = (await skusOf('westus2')).filter(({ name }) => name === 'Standard_PB6s');
    expect(size?.restrictions).toMatchObject([{ type: 'Location', reasonCode: 'NotAvailableForSubscription' }]);
    const refused = await putCluster('restricted', 'westus2', 'Standard_PB6s');
    expect(refused).toMatchObject({ status: 400, body: { code: 'VMSizeNotSupported' } });
  });

  it('are none where there is no region', async () => {
    expect(await skusOf('atlantis')).toEqual([]);
  });
});

describe('the usage of a region', () => {
  it('counts the nodes of its clusters, by family and in all', async () => {
    expect((await usagesOf('eastus')).get('cores')).toMatchObject({ currentValue: 0, limit: 350 });
    await createCluster(emulator, 'counted');
    const { vmSize, count = 0 } = clusterParameters.agentPoolProfiles?.[0] ?? {};
    const size = (await skusOf('eastus')).find(({ name }) => name === vmSize);
    const cores = count * Number(size?.capabilities?.find(({ name }) => name === 'vCPUs')?.value);
    const usages = await usagesOf('eastus');
    expect(cores).toBeGreaterThan(0);
    expect(usages.get(size?.family)).toMatchObject({ currentValue: cores, limit: 100 });
    expect(usages.get('cores')).toMatchObject({ currentValue: cores });
    expect((await usagesOf('westus2')).get('cores')).toMatchObject({ currentValue: 0 });
  });

  it.each(['standardDSv5Family', 'cores'])('is bounded by a quota that can be set: %s', async (name) => {
    await emulator.setQuota(name, 7);
    expect((await usagesOf('eastus')).get(name)).toMatchObject({ limit: 7 });
    const refused = await putCluster('greedy', 'eastus', 'Standard_D4s_v5', 2);
    expect(refused).toMatchObject({ status: 400, body: { code: 'ErrCode_InsufficientVCPUQuota' } });
  });
});

describe('a region', () => {
  it('is one of those that the resource provider names', async () => {
    const path = `/subscriptions/${emulator.endpoints.subscriptionId}/providers/Microsoft.ContainerService`;
    const { body } = await emulator.call('GET', `${path}?api-version=2021-04-01`);
    const { resourceTypes } = body as { resourceTypes: { resourceType: string; locations: string[] }[] };
    expect(resourceTypes[0]).toMatchObject({ resourceType: 'managedClusters' });
    expect(resourceTypes[0]?.locations).toContain('West US 2');
  });

  it('that there is not is refused', async () => {
    const refused = await putCluster('sunken', 'atlantis', 'Standard_D4s_v3');
    expect(refused).toMatchObject({ status: 400, body: { error: { code: 'LocationNotAvailableForResourceType' } } });
    await expect(usagesOf('atlantis')).rejects.toThrow();
  });

  it('may be given as the portal shows it', async () => {
    const created = await putCluster('shown', 'West Europe', 'Standard_D4s_v3');
    expect(created).toMatchObject({ status: 201, body: { location: 'westeurope' } });
  });
});
