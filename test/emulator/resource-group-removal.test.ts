import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmulator, type TestEmulator } from '../fixtures/emulator.js';
import {
  createCluster,
  deployment,
  get,
  grantPull,
  kubernetesClients,
  podsOf,
  pushPodImage,
  rolledOut,
  until,
} from '../fixtures/kubernetes.js';

let azure: TestEmulator;
let groups: string;
beforeAll(async () => {
  azure = await startEmulator();
  groups = `/subscriptions/${azure.endpoints.subscriptionId}/resourceGroups`;
});
afterAll(() => azure?.stop());

const call = (method: string, path: string, body?: unknown) =>
  azure.call(method, `${groups}/${path}?api-version=2025-10-01`, body === undefined ? {} : { body });

const at = (location: unknown) => azure.call('GET', String(location).slice(azure.endpoints.arm.length));

const registry = (group: string, name: string) =>
  call('PUT', `${group}/providers/Microsoft.ContainerRegistry/registries/${name}`, {
    location: 'eastus',
    sku: { name: 'Basic' },
  });

async function groupWithRegistry(group: string, name: string): Promise<void> {
  expect((await call('PUT', group, { location: 'eastus' })).status).toBe(201);
  expect((await registry(group, name)).status).toBe(200);
}

/** What lives in a group or hangs on it. */
const livesIn = async (group: string) =>
  (await azure.inventory()).filter(({ id }) => `${id.toLowerCase()}/`.includes(`/resourcegroups/${group}/`));

const cascadeOf = async (group: string) =>
  (await azure.journal()).filter(({ cascadeOf }) => cascadeOf === `${groups}/${group}`);

describe('deleting a resource group', () => {
  it('takes along everything in it and on it, dependents first, and nothing else', async () => {
    const { resourceGroup: group } = azure.endpoints;
    await groupWithRegistry('bystander', 'bystander');
    const [image] = await Promise.all([pushPodImage(azure, 'slipway/going'), createCluster(azure, 'going')]);
    await grantPull(azure, 'going');
    const clients = await kubernetesClients(azure, 'going');
    await clients.apps.createNamespacedDeployment({ namespace: 'default', body: deployment('going', image) });
    await rolledOut(clients, 'going');
    const [pod] = await podsOf(clients, 'going');
    const address = pod?.status?.podIP ?? '';
    expect(await get(address, 8080, '/ready')).toMatchObject({ status: 200 });
    const workspace = `${group}/providers/Microsoft.MachineLearningServices/workspaces/slipway`;
    await call('PUT', `${workspace}/environments/bare/versions/1`, { properties: { image: 'example/base' } });
    const job = { jobType: 'Command', command: 'sleep 600', environmentId: 'azureml:bare:1' };
    expect((await call('PUT', `${workspace}/jobs/long`, { properties: job })).status).toBe(201);

    const deleted = await call('DELETE', group);
    expect(deleted).toMatchObject({ status: 202, body: '', headers: { 'retry-after': '1' } });
    expect(deleted.headers['azure-asyncoperation']).toBeUndefined();
    const location = String(deleted.headers.location);
    expect(location).toContain('/operationresults/');
    await until('the group to go', async () => (await at(location)).status === 200);

    expect(await call('GET', group)).toMatchObject({ status: 404, body: { error: { code: 'ResourceGroupNotFound' } } });
    expect(await livesIn(group)).toEqual([]);
    const kinds = (await cascadeOf(group)).map(({ effect }) => effect?.kind);
    expect(kinds).toEqual(['managed-cluster', 'workspace', 'container-registry', 'storage-account', 'role-assignment']);
    await expect(get(address, 8080, '/ready')).rejects.toThrow(/ECONNREFUSED|EADDRNOTAVAIL/);
    expect((await livesIn('bystander')).map(({ kind }) => kind)).toEqual(['resource-group', 'container-registry']);
    expect(await call('DELETE', group)).toMatchObject({ status: 404 });
  });

  it('lets nothing new into it meanwhile, and leaves it as it was when it fails', async () => {
    await groupWithRegistry('leaving', 'leaving');
    const path = '/resourceGroups/leaving$';
    await azure.inject({ name: 'stays', match: { method: 'DELETE', path }, when: 'operation', then: { stuck: true } });
    const { headers } = await call('DELETE', 'leaving');
    expect((await at(headers.location)).status).toBe(202);
    expect((await call('GET', 'leaving')).body).toMatchObject({ properties: { provisioningState: 'Deleting' } });
    const refused = { status: 409, body: { error: { code: 'ResourceGroupBeingDeleted' } } };
    expect(await registry('leaving', 'late')).toMatchObject(refused);
    expect(await call('PUT', 'leaving', { location: 'eastus' })).toMatchObject(refused);
    expect(await call('PATCH', 'leaving', { tags: {} })).toMatchObject(refused);

    await groupWithRegistry('failing', 'failing');
    const failing = { method: 'DELETE', path: '/resourceGroups/failing$' };
    await azure.inject({ name: 'fails', match: failing, when: 'operation', then: { code: 'Locked', message: 'no' } });
    const { location } = (await call('DELETE', 'failing')).headers;
    const failed = await until('the removal to fail', async () => {
      const reply = await at(location);
      return reply.status !== 202 && reply;
    });
    expect(failed).toMatchObject({ status: 409, body: { error: { code: 'Locked' } } });
    expect((await call('GET', 'failing')).body).toMatchObject({ properties: { provisioningState: 'Succeeded' } });
    expect((await livesIn('failing')).map(({ kind }) => kind)).toEqual(['resource-group', 'container-registry']);
  });

  it('goes on after a restart', async () => {
    await groupWithRegistry('interrupted', 'interrupted');
    expect((await call('DELETE', 'interrupted')).status).toBe(202);
    await azure.halt();
    await azure.restart();
    await until('the group to go', async () => (await call('GET', 'interrupted')).status === 404);
    expect(await livesIn('interrupted')).toEqual([]);
  });
});
