import { afterAll, beforeAll, expect, it } from 'vitest';
import { startEmulator, type Reply, type TestEmulator } from '../fixtures/emulator.js';
import { clusterParameters, until } from '../fixtures/kubernetes.js';

let azure: TestEmulator;
let group: string;
beforeAll(async () => {
  // Slow enough for the first look at an operation to find it in progress.
  azure = await startEmulator({ timeScale: 60 });
  group = `/subscriptions/${azure.endpoints.subscriptionId}/resourceGroups/${azure.endpoints.resourceGroup}`;
});
afterAll(() => azure?.stop());

const versions = {
  containerservice: '2025-10-01',
  machinelearningservices: '2022-10-01',
  containerregistry: '2025-11-01',
};
const call = (method: string, provider: keyof typeof versions, path: string, body?: unknown) =>
  azure.call(method, `${group}/providers/Microsoft.${provider}/${path}?api-version=${versions[provider]}`, {
    ...(body !== undefined && { body }),
  });
const at = (url: unknown) => azure.call('GET', String(url).slice(azure.endpoints.arm.length));
const asyncOperation = ({ headers }: Reply) => headers['azure-asyncoperation'];

/** What the status document says first and last. */
async function documents(reply: Reply): Promise<{ first: unknown; last: unknown }> {
  const first = await at(asyncOperation(reply));
  const last = await until('the operation to end', async () => {
    const { body } = await at(asyncOperation(reply));
    return (body as { endTime?: string }).endTime !== undefined && body;
  });
  return { first: first.body, last };
}

const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string;

it('Container Service says InProgress, by the id of the request with bytes swapped', async () => {
  const { location, identity, ...properties } = clusterParameters;
  const put = await call('PUT', 'containerservice', 'managedClusters/c', { location, identity, properties });
  expect(put.status).toBe(201);
  const id = String(put.headers['x-ms-request-id']);
  expect(asyncOperation(put)).toContain(
    `/providers/Microsoft.ContainerService/locations/eastus/operations/${id}?api-version=2017-08-31`,
  );
  const { first, last } = await documents(put);
  const [a = '', b = '', c = '', ...rest] = id.split('-');
  const swapped = [a, b, c].map((hex) => Buffer.from(hex, 'hex').reverse().toString('hex'));
  const name = [...swapped, ...rest].join('-');
  expect(first).toEqual({ name, status: 'InProgress', startTime: time });
  expect(last).toEqual({ name, status: 'Succeeded', startTime: time, endTime: time });
  const deleted = await call('DELETE', 'containerservice', 'managedClusters/c');
  expect((await at(deleted.headers.location)).status).toBe(202);
  await documents(deleted);
  expect((await at(deleted.headers.location)).status).toBe(204);
});

it("Machine Learning says Updating, and deletes with JSON's null", async () => {
  const workspace = 'workspaces/slipway';
  await call('PUT', 'machinelearningservices', `${workspace}/environments/e/versions/1`, {
    properties: { image: 'i' },
  });
  const properties = { jobType: 'Command', command: 'true', environmentId: 'azureml:e:1' };
  await call('PUT', 'machinelearningservices', `${workspace}/jobs/j`, { properties });
  const canceled = await call('POST', 'machinelearningservices', `${workspace}/jobs/j/cancel`);
  expect(canceled).toMatchObject({ status: 202, body: '' });
  expect(asyncOperation(canceled)).toBeUndefined();
  expect(canceled.headers.location).toContain('/locations/eastus/mfeOperationResults/');
  await until('the job to be canceled', async () => {
    const { body } = await call('GET', 'machinelearningservices', `${workspace}/jobs/j`);
    return (body as { properties: { status: string } }).properties.status === 'Canceled';
  });
  const match = { method: 'DELETE', path: '/jobs/j$' };
  await azure.inject({ name: 'slow', match, when: 'operation', then: { stuck: true } });
  const deleted = await call('DELETE', 'machinelearningservices', `${workspace}/jobs/j`);
  expect(deleted).toMatchObject({ status: 202, body: null });
  expect(asyncOperation(deleted)).toContain('/mfeOperationsStatus/');
  expect((await at(asyncOperation(deleted))).body).toMatchObject({ status: 'Updating', percentComplete: 0 });
  const again = await documents(await call('DELETE', 'machinelearningservices', `${workspace}/jobs/j`));
  expect(again.last).toMatchObject({ status: 'Succeeded', percentComplete: 100, startTime: time, endTime: time });
});

it('Container Registry gives another Location at each poll, and 200 at the end', async () => {
  await call('PUT', 'containerregistry', 'registries/going', { location: 'eastus', sku: { name: 'Basic' } });
  const match = { method: 'DELETE', path: '/registries/going$' };
  await azure.inject({ name: 'stuck', match, when: 'operation', then: { stuck: true } });
  const stuck = await call('DELETE', 'containerregistry', 'registries/going');
  const polled = await at(stuck.headers.location);
  expect(polled.status).toBe(202);
  expect(polled.headers.location).not.toBe(stuck.headers.location);
  expect((await at(polled.headers.location)).status).toBe(202);
  const deleted = await call('DELETE', 'containerregistry', 'registries/going');
  await until('the registry to go', async () => (await at(deleted.headers.location)).status === 200);
  expect(asyncOperation(deleted)).toBeUndefined();
});

it('needs no permission to ask how far it is, and knows no others', async () => {
  const unknown = `/subscriptions/${azure.endpoints.subscriptionId}/operationresults/none?api-version=2021-04-01`;
  expect(await azure.call('GET', unknown)).toMatchObject({ status: 404 });
  await azure.setPermissions([{ actions: [] }]);
  expect(await azure.call('GET', unknown)).toMatchObject({ status: 404 });
  await azure.resetPermissions();
});
