import type { ContainerServiceClient, ManagedCluster } from '@azure/arm-containerservice';
import type { RestError } from '@azure/core-rest-pipeline';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startEmulator, type TestEmulator } from '../fixtures/emulator.js';
import {
  clusterParameters,
  containerService,
  createCluster,
  kubernetesClients,
  until,
} from '../fixtures/kubernetes.js';

const region = 'eastus';
let emulator: TestEmulator;
let client: ContainerServiceClient;
let group: string;
let collection: string;

beforeAll(async () => {
  emulator = await startEmulator();
  client = containerService(emulator);
  group = emulator.endpoints.resourceGroup;
  collection = `/subscriptions/${emulator.endpoints.subscriptionId}/resourceGroups/${group}/providers/Microsoft.ContainerService/managedClusters`;
});
afterEach(() => emulator.clearFaults());
afterAll(() => emulator?.stop());

const wireParameters = {
  location: region,
  identity: { type: 'SystemAssigned' },
  properties: {
    dnsPrefix: 'wire',
    agentPoolProfiles: [{ name: 'scoring', mode: 'System', osType: 'Linux', vmSize: 'Standard_D4s_v3', count: 1 }],
  },
};

function call(method: string, path: string, body?: unknown, headers?: Record<string, string>) {
  const options = { ...(body !== undefined && { body }), ...(headers && { headers }) };
  return emulator.call(method, `${collection}/${path}?api-version=2025-10-01`, options);
}

/** Sends the PUT and waits for its reply only. */
async function submit(
  name: string,
  parameters: ManagedCluster = clusterParameters,
  ifNoneMatch?: string,
): Promise<void> {
  const options = ifNoneMatch === undefined ? {} : { ifNoneMatch };
  await client.managedClusters.createOrUpdate(group, name, parameters, options).submitted();
}

/** Waits until a cluster's operation is over. */
function settled(name: string): Promise<ManagedCluster> {
  return until(`${name} to settle`, async () => {
    const cluster = await client.managedClusters.get(group, name);
    return !/ing$/.test(cluster.provisioningState ?? '') && cluster;
  });
}

async function refusal(work: PromiseLike<unknown>): Promise<{ status: number | undefined; code: string | undefined }> {
  try {
    await work;
  } catch (error) {
    const { statusCode, code } = error as RestError;
    return { status: statusCode, code };
  }
  throw new Error('the call was not refused');
}

const changesOf = async (name: string) =>
  (await emulator.journal())
    .filter(({ effect }) => effect?.kind === 'managed-cluster' && effect.id.endsWith(`/${name}`))
    .map(({ method, effect }) => [method, effect?.change]);

describe('a managed cluster', () => {
  it('has the shapes that were recorded of the real service', async () => {
    const missing = await call('GET', 'wire');
    expect(missing).toMatchObject({ status: 404, body: { error: { code: 'ResourceNotFound' } } });

    const put = await call('PUT', 'wire', wireParameters);
    expect(put.status).toBe(201);
    expect(put.headers['azure-asyncoperation']).toMatch(
      /providers\/Microsoft.ContainerService\/locations\/eastus\/operations\//,
    );
    expect(put.headers.location).toBeUndefined();
    expect(put.body).toMatchObject({
      id: expect.stringContaining('/resourcegroups/') as string,
      type: 'Microsoft.ContainerService/ManagedClusters',
      properties: {
        provisioningState: 'Creating',
        powerState: { code: 'Running' },
        nodeResourceGroup: `MC_${group}_wire_${region}`,
        agentPoolProfiles: [{ name: 'scoring', provisioningState: 'Creating' }],
      },
    });

    const again = await call('PUT', 'wire', wireParameters);
    expect(again).toMatchObject({ status: 409, body: { code: 'OperationNotAllowed', details: null } });
    expect(again.body).not.toHaveProperty('error');

    const cluster = await settled('wire');
    expect(cluster).toMatchObject({
      provisioningState: 'Succeeded',
      fqdn: expect.stringMatching(/^wire-.*\.hcp\.eastus\.azmk8s\.io$/) as string,
      identityProfile: {
        kubeletidentity: { objectId: expect.any(String) as string, clientId: expect.any(String) as string },
      },
    });
    const pool = await client.agentPools.get(group, 'wire', 'scoring');
    expect(pool).toMatchObject({ count: 1, vmSize: 'Standard_D4s_v3', provisioningState: 'Succeeded' });

    const deleted = await call('DELETE', 'wire');
    expect(deleted).toMatchObject({ status: 202, headers: { 'content-length': '0' } });
    expect(deleted.headers['azure-asyncoperation']).toContain('/operations/');
    expect(deleted.headers.location).toContain('/operationresults/');
    await until('the cluster to go', async () => (await call('GET', 'wire')).status === 404);
    expect((await call('DELETE', 'wire')).status).toBe(204);
  });

  it('is created once: what repeats the call changes nothing', async () => {
    await submit('once', clusterParameters, '*');
    expect(await refusal(submit('once', clusterParameters, '*'))).toMatchObject({ status: 412 });
    expect(await refusal(submit('once'))).toEqual({ status: 409, code: 'OperationNotAllowed' });
    await settled('once');
    await submit('once');
    expect(await changesOf('once')).toEqual([
      ['PUT', 'created'],
      ['PUT', 'unchanged'],
    ]);
  });

  it.each<[string, Partial<ManagedCluster>, string]>([
    [
      'no quota',
      { agentPoolProfiles: [{ ...clusterParameters.agentPoolProfiles[0]!, vmSize: 'Standard_NP10s' }] },
      'ErrCode_InsufficientVCPUQuota',
    ],
    [
      'an unknown size',
      { agentPoolProfiles: [{ ...clusterParameters.agentPoolProfiles[0]!, vmSize: 'Standard_X1' }] },
      'VMSizeNotSupported',
    ],
    ['an old version', { kubernetesVersion: '1.12' }, 'K8sVersionNotSupported'],
    ['no system pool', { agentPoolProfiles: [] }, 'InvalidParameter'],
  ])('is refused at once for %s', async (_what, change, code) => {
    expect(await refusal(submit('refused', { ...clusterParameters, ...change }))).toEqual({ status: 400, code });
    expect((await call('GET', 'refused')).status).toBe(404);
  });

  it('says why its creation failed, and can be created again', async () => {
    const path = '/managedClusters/failing$';
    const then = { code: 'AllocationFailed', message: 'no capacity' };
    await emulator.inject({ name: 'no-capacity', match: { method: 'PUT', path }, when: 'operation', then });
    await submit('failing');
    const failed = await call('GET', 'failing');
    expect(failed.status).toBe(200);
    const cluster = await settled('failing');
    expect(cluster.provisioningState).toBe('Failed');
    expect(cluster.status?.provisioningError).toMatchObject(then);
    expect(await refusal(client.managedClusters.listClusterUserCredentials(group, 'failing'))).toMatchObject({
      status: 400,
    });
    await submit('failing');
    const second = await settled('failing');
    expect(second.provisioningState).toBe('Succeeded');
    expect(second.status?.provisioningError).toBeUndefined();
  });

  it('can be aborted while it is created, and deleted then', async () => {
    await emulator.inject({
      name: 'stuck',
      match: { method: 'PUT', path: '/aborted$' },
      when: 'operation',
      then: { stuck: true },
    });
    await submit('aborted');
    expect(await refusal(client.managedClusters.delete(group, 'aborted').submitted())).toMatchObject({ status: 409 });
    await client.managedClusters.abortLatestOperation(group, 'aborted').submitted();
    expect((await settled('aborted')).provisioningState).toBe('Canceled');
    await client.managedClusters.delete(group, 'aborted');
    expect((await call('GET', 'aborted')).status).toBe(404);
  });

  it('takes new tags without an operation', async () => {
    await createCluster(emulator, 'tagged');
    const tagged = await client.managedClusters.updateTags(group, 'tagged', { tags: { 'slipway-owner': 'a/b' } });
    expect(tagged.tags).toEqual({ 'slipway-owner': 'a/b' });
    expect((await emulator.inventory('a/b')).map(({ kind, name }) => [kind, name])).toEqual([
      ['managed-cluster', 'tagged'],
    ]);
  });

  it('takes everything in it along when it is deleted', async () => {
    await createCluster(emulator, 'full');
    const { core, config } = await kubernetesClients(emulator, 'full');
    const annotations = { 'slipway.dev/owner': 'full/one' };
    await core.createNamespacedSecret({ namespace: 'default', body: { metadata: { name: 'inside', annotations } } });
    expect((await emulator.inventory('full/one')).map(({ kind }) => kind)).toEqual(['secret']);
    await client.managedClusters.delete(group, 'full');
    expect(await emulator.inventory('full/one')).toEqual([]);
    expect(config.getCurrentCluster()?.server).toMatch(/^https:\/\/127\.0\.0\.1:/);
    await expect(core.listNamespace()).rejects.toThrow('ECONNREFUSED');
  });
});
