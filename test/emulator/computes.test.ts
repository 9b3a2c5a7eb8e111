import type { AzureMachineLearningWorkspaces, ComputeResource } from '@azure/arm-machinelearning';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { armClients, startEmulator, type TestEmulator } from '../fixtures/emulator.js';

const workspace = ['slipway-local', 'slipway'] as const;
let azure: TestEmulator;
let machineLearning: AzureMachineLearningWorkspaces;
let path: string;

beforeAll(async () => {
  azure = await startEmulator();
  ({ machineLearning } = armClients(azure));
  path = `${(await machineLearning.workspaces.get(...workspace)).id ?? ''}/computes`;
});
afterAll(() => azure?.stop());

const call = (method: string, name: string, body?: unknown, query = '') =>
  azure.call(method, `${path}/${name}?api-version=2022-10-01${query}`, body === undefined ? {} : { body });

const cluster = (change: object = {}): ComputeResource => ({
  location: 'eastus',
  properties: {
    computeType: 'AmlCompute',
    properties: { vmSize: 'Standard_D4s_v3', scaleSettings: { maxNodeCount: 3 }, ...change },
  },
});
const names = async () => {
  const found: (string | undefined)[] = [];
  for await (const { name } of machineLearning.computeOperations.list(...workspace)) found.push(name);
  return found;
};

describe('a compute', () => {
  it('is made, scaled, and deleted', async () => {
    const { computeOperations } = machineLearning;
    const made = await computeOperations.beginCreateOrUpdateAndWait(...workspace, 'own', cluster());
    expect(made.properties).toMatchObject({ computeType: 'AmlCompute', provisioningState: 'Succeeded' });
    expect(await names()).toEqual(['cpu-cluster', 'own']);
    const larger = cluster({ scaleSettings: { maxNodeCount: 5 } });
    await computeOperations.beginCreateOrUpdateAndWait(...workspace, 'own', larger);
    const { properties } = await computeOperations.get(...workspace, 'own');
    expect(properties).toMatchObject({ properties: { scaleSettings: { maxNodeCount: 5, minNodeCount: 0 } } });
    await computeOperations.beginDeleteAndWait(...workspace, 'own', 'Delete');
    expect(await names()).toEqual(['cpu-cluster']);
    expect((await call('DELETE', 'own', undefined, '&underlyingResourceAction=Delete')).status).toBe(204);
  });

  it('is in a state meanwhile in which nothing else is done to it', async () => {
    const match = { method: 'PUT', path: '/computes/slow$' };
    await azure.inject({ name: 'slow', match, when: 'operation', then: { stuck: true } });
    const put = await call('PUT', 'slow', cluster());
    expect(put).toMatchObject({ status: 201, body: { properties: { provisioningState: 'Creating' } } });
    expect(put.headers['azure-asyncoperation']).toContain('/mfeOperationsStatus/');
    const refused = { status: 409, body: { error: { code: 'UserError' } } };
    expect(await call('PUT', 'slow', cluster())).toMatchObject(refused);
    expect(await call('DELETE', 'slow', undefined, '&underlyingResourceAction=Delete')).toMatchObject(refused);
  });

  it.each([
    ['another type', 'odd', { ...cluster(), properties: { computeType: 'VirtualMachine' } }, /only computes of type/],
    ['no size', 'odd', cluster({ vmSize: undefined }), /vmSize/],
    ['a size that there is not', 'odd', cluster({ vmSize: 'Standard_X1' }), /Standard_X1/],
    ['a scale that is none', 'odd', cluster({ scaleSettings: { maxNodeCount: 'many' } }), /maxNodeCount/],
    ['a name that is none', 'o_d', cluster(), /name 'o_d' is invalid/],
    ['another size than it has', 'cpu-cluster', cluster(), /cannot be changed from Standard_DS3_v2/],
  ])('is refused for %s', async (_what, name, body, message) => {
    const reply = await call('PUT', name, body);
    expect(reply).toMatchObject({
      status: 400,
      body: { error: { message: expect.stringMatching(message) as string } },
    });
  });

  it('is deleted or detached, as is said', async () => {
    expect(await call('DELETE', 'cpu-cluster')).toMatchObject({ status: 400, body: { error: { code: 'UserError' } } });
  });
});
