import type { ApplicationFailure } from '@temporalio/common';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { PreflightInput } from '../../src/deployment/activities.js';
import type { ClusterInput } from '../../src/deployment/input.js';
import { CONVERSION } from '../fixtures/conversion-settings.js';
import { startEmulator, type TestEmulator } from '../fixtures/emulator.js';
import { createCluster } from '../fixtures/kubernetes.js';
import { LocalReleases } from '../fixtures/local-release.js';

const OURS = 'daaaaaaaaaaa';
/** A cluster of someone else, which services adopt. */
const SHARED = 'shared';

let emulator: TestEmulator;
let local: LocalReleases;
beforeAll(async () => {
  emulator = await startEmulator();
  local = await LocalReleases.open(emulator);
  await createCluster(emulator, SHARED);
});
afterEach(async () => {
  await emulator.resetPermissions();
  await emulator.resetQuotas();
});
afterAll(() => emulator?.stop());

const adopting = { name: SHARED, existing: true };

function input(service: string, cluster: Partial<ClusterInput> = {}, patienceMinutes = 0): PreflightInput {
  return {
    identity: local.identity(OURS, service),
    workspace: local.workspace,
    model: {
      source: { kind: 'uploaded', path: 'slipway/models/0', digest: `sha256:${'0'.repeat(64)}`, bytes: 1 },
      name: service,
      tags: {},
      properties: {},
      signature: 'serving_default',
      input: 'images',
      outputs: ['output_alias'],
    },
    settings: CONVERSION,
    cluster: local.cluster(service, cluster),
    scoring: { replicas: 1, cpu: '1', memory: '1Gi', auth: 'key', connectionAgeSeconds: 2 },
    patienceMinutes,
  };
}

const forbid = (...notActions: string[]) =>
  emulator.setPermissions([{ actions: ['*'], notActions, dataActions: ['*'] }]);

/** The calls that a preflight makes, as method and what follows the provider. */
async function callsOf(preflight: PreflightInput): Promise<string[]> {
  const before = await emulator.lastSeq();
  await local.run('preflight', preflight);
  const entries = await emulator.journal(before);
  return entries
    .filter(({ service }) => service === 'arm')
    .map(({ method, path }) => `${method} ${path.split('/providers/').at(-1)}`);
}

describe('a preflight', () => {
  it('reads only', async () => {
    const calls = await callsOf(input('reader'));
    expect(calls.filter((call) => !call.startsWith('GET '))).toEqual([]);
    expect(calls).toEqual(expect.arrayContaining([expect.stringContaining('Microsoft.Compute/skus')]));
  });

  it('asks nothing of the region for a cluster that is ours already', async () => {
    await local.provision(OURS, 'settled');
    await emulator.setQuota('cores', 0);
    const calls = await callsOf(input('settled', { vmSize: 'Standard_X1' }));
    expect(calls.filter((call) => /Microsoft\.Compute|GET Microsoft\.ContainerService$/.test(call))).toEqual([]);
    await local.run('removeCluster', { ...input('settled'), scope: 'deployment' });
  });

  it('goes without what the caller may not read, and says so', async () => {
    await forbid('Microsoft.Compute/*', 'Microsoft.Resources/subscriptions/providers/read', '*/permissions/read');
    const { unchecked } = await local.run('preflight', input('modest', { nodeCount: 999 }));
    expect([...unchecked].sort()).toEqual(['permissions', 'quota', 'region', 'sizes']);
  });

  it('waits for quota, says how much is missing, and goes on when it is there', async () => {
    await emulator.setQuota('standardDSv3Family', 0);
    const failures: ApplicationFailure[] = [];
    const passed = local.run('preflight', input('patient', {}, 5), { failures });
    await expect.poll(() => failures.map(({ message }) => message).join()).toMatch(/^waiting: quota.*needs 4 vCPUs/);
    await emulator.setQuota('standardDSv3Family', 8);
    expect(await passed).toEqual({ unchecked: [] });
  });

  it('of an adopted cluster asks for the rights at the cluster, and for none to create one', async () => {
    await forbid('Microsoft.ContainerService/managedClusters/write');
    expect(await local.run('preflight', input('adopter', adopting))).toEqual({ unchecked: [] });
    await forbid('Microsoft.ContainerService/managedClusters/listClusterUserCredential/action');
    await expect(local.run('preflight', input('adopter', adopting))).rejects.toMatchObject({
      type: 'AuthorizationFailed',
      message: expect.stringMatching(
        /listClusterUserCredential\/action' over scope '[^']*\/managedClusters\/shared'/,
      ) as string,
    });
  });

  it('wants no right to grant from who adopts a cluster that may pull already', async () => {
    const missing = {
      type: 'AuthorizationFailed',
      message: expect.stringContaining('roleAssignments/write') as string,
    };
    await forbid('Microsoft.Authorization/*/write');
    await expect(local.run('preflight', input('puller', adopting))).rejects.toMatchObject(missing);
    await emulator.resetPermissions();
    await local.run('grantPull', input('granter', adopting));
    await forbid('Microsoft.Authorization/*/write');
    expect(await local.run('preflight', input('puller', adopting))).toEqual({ unchecked: [] });
  });

  it('that meets an outage is tried again', async () => {
    const match = { method: 'GET', path: '/Microsoft.Compute/skus$' };
    await emulator.inject({ name: 'outage', match, when: 'before', then: { status: 503 } });
    const failures: ApplicationFailure[] = [];
    expect(await local.run('preflight', input('unlucky'), { failures })).toEqual({ unchecked: [] });
    expect(failures).toHaveLength(1);
  });
});
