import type { ContainerServiceClient } from '@azure/arm-containerservice';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmulator, type TestEmulator } from '../fixtures/emulator.js';
import {
  containerService,
  createCluster,
  deployment,
  grantPull,
  kubernetesClients,
  podsOf,
  pushPodImage,
  rolledOut,
  until,
  type KubernetesClients,
} from '../fixtures/kubernetes.js';

const CLUSTER = 'pools';
let azure: TestEmulator;
let client: ContainerServiceClient;
let clients: KubernetesClients;
let group: string;
let path: string;

beforeAll(async () => {
  azure = await startEmulator();
  client = containerService(azure);
  group = azure.endpoints.resourceGroup;
  path = `/subscriptions/${azure.endpoints.subscriptionId}/resourceGroups/${group}/providers/Microsoft.ContainerService/managedClusters/${CLUSTER}/agentPools`;
  await createCluster(azure, CLUSTER);
  clients = await kubernetesClients(azure, CLUSTER);
});
afterAll(() => azure?.stop());

const call = (method: string, pool: string, properties?: object, headers: Record<string, string> = {}) =>
  azure.call(method, `${path}/${pool}?api-version=2026-05-01`, {
    headers,
    ...(properties && { body: { properties } }),
  });
const stuck = (method: string, pool: string) =>
  azure.inject({ name: pool, match: { method, path: `/${pool}$` }, when: 'operation', then: { stuck: true } });
const abort = () => client.managedClusters.abortLatestOperation(group, CLUSTER);

const nodePools = async () =>
  (await clients.core.listNode()).items.map(({ metadata }) => metadata?.labels?.['agentpool']);
const states = async () => {
  const { agentPoolProfiles = [] } = await client.managedClusters.get(group, CLUSTER);
  return Object.fromEntries(agentPoolProfiles.map(({ name, provisioningState }) => [name, provisioningState]));
};

describe('an agent pool', () => {
  it('brings nodes of its own, more when it is scaled, and takes them and their pods along', async () => {
    const added = await client.agentPools.createOrUpdate(group, CLUSTER, 'extra', {
      count: 1,
      vmSize: 'Standard_D2s_v3',
    });
    expect(added).toMatchObject({ name: 'extra', mode: 'User', provisioningState: 'Succeeded' });
    expect(await nodePools()).toEqual(expect.arrayContaining(['extra', 'scoring']));
    await client.agentPools.createOrUpdate(group, CLUSTER, 'extra', { count: 2, vmSize: 'Standard_D2s_v3' });
    expect((await nodePools()).sort()).toEqual(['extra', 'extra', 'scoring']);

    const image = await pushPodImage(azure, 'slipway/moving');
    await grantPull(azure, CLUSTER);
    // More than one node has, so that the new pool has some of them.
    const resources = { requests: { cpu: '1200m' } };
    const wanted = deployment('moving', image, { replicas: 3, container: { resources } });
    await clients.apps.createNamespacedDeployment({ namespace: 'default', body: wanted });
    await rolledOut(clients, 'moving');
    const nodesOf = async () => (await podsOf(clients, 'moving')).map(({ spec }) => spec?.nodeName ?? '');
    expect((await nodesOf()).some((node) => node.includes('-extra-'))).toBe(true);

    await client.agentPools.delete(group, CLUSTER, 'extra');
    expect(await nodePools()).toEqual(['scoring']);
    await until('the pods to leave', async () => (await nodesOf()).every((node) => !node.includes('-extra-')));
    await expect(client.agentPools.get(group, CLUSTER, 'extra')).rejects.toMatchObject({ code: 'ResourceNotFound' });
    expect((await call('DELETE', 'extra')).status).toBe(204);
    const changes = (await azure.journal()).filter(({ effect }) => effect?.kind === 'agent-pool');
    expect(changes.map(({ effect }) => effect?.change)).toEqual(['created', 'updated', 'deleted']);
  });

  it('is alone in its state, and holds up every other operation', async () => {
    await stuck('PUT', 'slow');
    const put = await call('PUT', 'slow', { count: 1, mode: 'User' });
    expect(put).toMatchObject({ status: 201, body: { properties: { provisioningState: 'Creating' } } });
    expect(put.headers['azure-asyncoperation']).toContain('/operations/');
    expect(await states()).toEqual({ scoring: 'Succeeded', slow: 'Creating' });
    const refused = { status: 409, body: { code: 'OperationNotAllowed', details: null } };
    expect(await call('PUT', 'other', { count: 1 })).toMatchObject(refused);
    expect(await call('DELETE', 'scoring')).toMatchObject(refused);
    await abort();
    await stuck('DELETE', 'slow');
    const deleted = await call('DELETE', 'slow');
    expect(deleted).toMatchObject({ status: 202, body: '' });
    expect(deleted.headers).toMatchObject({
      'azure-asyncoperation': expect.stringContaining('/operations/') as string,
      location: expect.stringContaining('/operationresults/') as string,
    });
    expect(await states()).toMatchObject({ slow: 'Deleting' });
    await abort();
    await client.agentPools.delete(group, CLUSTER, 'slow');
    expect(await states()).toEqual({ scoring: 'Succeeded' });
  });

  it('is put unchanged without an operation, and under conditions', async () => {
    const { body } = await call('GET', 'scoring');
    const { properties } = body as { properties: { eTag: string; count: number; vmSize: string } };
    const same = { count: properties.count, vmSize: properties.vmSize, mode: 'System', osType: 'Linux' };
    const again = await call('PUT', 'scoring', same, { 'if-match': properties.eTag });
    expect(again.status).toBe(200);
    expect(again.headers).not.toHaveProperty('azure-asyncoperation');
    expect(await call('PUT', 'scoring', same, { 'if-none-match': '*' })).toMatchObject({ status: 412 });
    expect(await call('PUT', 'scoring', same, { 'if-match': 'older' })).toMatchObject({ status: 412 });
    expect(await call('DELETE', 'scoring', undefined, { 'if-match': 'older' })).toMatchObject({ status: 412 });
    expect(await call('PUT', 'absent', same, { 'if-match': '*' })).toMatchObject({ status: 412 });
  });

  it.each([
    ['a name that is none', 'a_b', { count: 1 }, 'InvalidParameter', /name/],
    ['no number', 'wrong', { count: 'many' }, 'InvalidParameter', /count/],
    ['no list of taints', 'wrong', { nodeTaints: 'a=b:NoSchedule' }, 'InvalidParameter', /nodeTaints/],
    ['a size that there is not', 'wrong', { vmSize: 'Standard_X1' }, 'VMSizeNotSupported', /Standard_X1/],
    ['more than the quota', 'wrong', { count: 100 }, 'ErrCode_InsufficientVCPUQuota', /remaining/],
    ['the last of the system mode as another', 'scoring', { mode: 'User' }, 'InvalidParameter', /system agent pool/],
  ])('is refused for %s', async (_what, pool, properties, code, message) => {
    const reply = await call('PUT', pool, properties);
    expect(reply).toMatchObject({ status: 400, body: { code, message: expect.stringMatching(message) as string } });
  });

  it('of the system mode is not deleted when it is the last', async () => {
    expect(await call('DELETE', 'scoring')).toMatchObject({ status: 400, body: { code: 'InvalidParameter' } });
  });
});
