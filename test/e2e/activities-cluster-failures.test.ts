import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clusterRef, getCluster } from '../../src/azure/clusters.js';
import { connectToKubernetes } from '../../src/azure/kubernetes/connection.js';
import { PodTunnel } from '../../src/azure/kubernetes/port-forward.js';
import { digestOf } from '../../src/deployment/digests.js';
import { PredictClient } from '../../src/scoring/client/predict-client.js';
import { PredictError } from '../../src/scoring/client/predict-error.js';
import type { ActivityRunner } from '../fixtures/activities.js';
import { startEmulator, type TestEmulator } from '../fixtures/emulator.js';
import { createCluster, kubernetesClients, deployment, type KubernetesClients } from '../fixtures/kubernetes.js';
import { LocalReleases } from '../fixtures/local-release.js';

const OURS = 'daaaaaaaaaaa';
const namespace = 'default';

let emulator: TestEmulator;
let local: LocalReleases;
let run: ActivityRunner['run'];
beforeAll(async () => {
  emulator = await startEmulator();
  local = await LocalReleases.open(emulator);
  ({ run } = local);
});
afterAll(() => emulator?.stop());

const failure = (type: string, message?: RegExp) =>
  expect.objectContaining({
    type,
    ...(message && { message: expect.stringMatching(message) as string }),
  }) as ApplicationFailure;

const clusterPut = (service: string) => ({ method: 'PUT', path: `managedClusters/slipway-${service}$` });

async function clusterNames(): Promise<string[]> {
  return (await emulator.inventory()).filter(({ kind }) => kind === 'managed-cluster').map(({ name }) => name);
}

describe('a cluster', () => {
  const input = (service: string) => ({
    identity: local.identity(OURS, service),
    workspace: local.workspace,
    cluster: local.cluster(service),
  });
  const removal = (service: string) => ({ ...input(service), scope: 'deployment' as const });

  it('of that name that someone else made is neither used nor removed', async () => {
    await createCluster(emulator, 'slipway-taken');
    await expect(run('beginCluster', input('taken'))).rejects.toEqual(failure('NameConflict', /slipway-taken/));
    expect(await run('removeCluster', removal('taken'))).toEqual({ removed: [] });
    expect(await clusterNames()).toContain('slipway-taken');
  });

  it('that is to be adopted must exist, and is never removed', async () => {
    const adopt = (name: string) => ({
      ...input('adopter'),
      cluster: local.cluster('adopter', { name, existing: true }),
    });
    await expect(run('beginCluster', adopt('nowhere'))).rejects.toEqual(failure('ClusterNotFound'));
    await run('beginCluster', adopt('slipway-taken'));
    expect((await run('awaitCluster', adopt('slipway-taken'))).detail).toContain('adopted');
    await run('removeCluster', { ...adopt('slipway-taken'), scope: 'deployment' });
    expect(await clusterNames()).toContain('slipway-taken');
  });

  it('is created where the file says, which need not be where the workspace is', async () => {
    const abroad = { ...input('abroad'), cluster: local.cluster('abroad', { region: 'westeurope' }) };
    await run('beginCluster', abroad);
    const found = await getCluster(
      local.azure,
      clusterRef(abroad.identity, 'slipway-abroad'),
      AbortSignal.timeout(5000),
    );
    expect(found?.region).toBe('westeurope');
    await run('removeCluster', removal('abroad'));
  });

  it('is created once, though the reply is lost', async () => {
    await emulator.inject({ name: 'lost', match: clusterPut('lost'), when: 'after', then: { reset: true } });
    const failures: ApplicationFailure[] = [];
    await run('beginCluster', input('lost'), { failures });
    expect(failures).toHaveLength(1);
    await run('awaitCluster', input('lost'));
    const created = (await emulator.journal()).filter(
      ({ effect }) =>
        effect?.change === 'created' && effect.kind === 'managed-cluster' && effect.id.endsWith('slipway-lost'),
    );
    expect(created).toHaveLength(1);
  });

  it('that Azure could not allocate is begun again, as the same cluster', async () => {
    const then = { code: 'AllocationFailed', message: 'No capacity in the region.' };
    await emulator.inject({ name: 'capacity', match: clusterPut('scarce'), when: 'operation', then });
    await run('beginCluster', input('scarce'));
    await expect(run('awaitCluster', input('scarce'))).rejects.toEqual(failure('OperationFailed', /No capacity/));
    await run('beginCluster', input('scarce'));
    await run('awaitCluster', input('scarce'));
    expect((await run('removeCluster', removal('scarce'))).removed).toHaveLength(1);
  });

  it('that fails for good ends the wait with the code of Azure', async () => {
    const then = { code: 'VMSizeNotSupported', message: 'Not in this region.' };
    await emulator.inject({ name: 'size', match: clusterPut('wrong'), when: 'operation', then });
    await run('beginCluster', input('wrong'));
    await expect(run('awaitCluster', input('wrong'))).rejects.toEqual(failure('VMSizeNotSupported'));
    await run('removeCluster', removal('wrong'));
    expect(await clusterNames()).not.toContain('slipway-wrong');
  });

  it('that is still being created is removed with whatever it would have held', async () => {
    await emulator.inject({ name: 'stuck', match: clusterPut('slow'), when: 'operation', then: { stuck: true } });
    await run('beginCluster', input('slow'));
    const inside = { ...removal('slow'), clusterGoesToo: true };
    expect(await run('removeService', inside)).toEqual({ removed: [] });
    expect(await run('removeRoleAssignment', inside)).toEqual({ removed: [] });
    expect((await run('removeCluster', removal('slow'))).removed).toHaveLength(1);
    expect(await clusterNames()).not.toContain('slipway-slow');
  });

  it('is not believed absent while a request could still create it', async () => {
    const failures: ApplicationFailure[] = [];
    await run('removeCluster', { ...removal('ghost'), absentAfter: Date.now() + 500 }, { failures });
    expect(failures[0]).toEqual(failure('StillPresent', /could still create it/));
  });
});

describe('a release', () => {
  let clients: KubernetesClients;
  const grant = () => ({ identity: local.identity(OURS), workspace: local.workspace, cluster: local.cluster() });
  const removal = () => ({ ...grant(), scope: 'deployment' as const });
  beforeAll(async () => {
    await run('beginCluster', grant());
    await run('awaitCluster', grant());
    clients = await kubernetesClients(emulator, 'slipway-pets');
  });

  it('waits with the reason of the registry until its cluster may pull', async () => {
    const input = await local.release({ deploymentId: OURS });
    await run('beginRelease', input);
    const failures: ApplicationFailure[] = [];
    const ready = run('awaitRelease', input, { failures });
    await expect.poll(() => failures.map(({ message }) => message).join(), { timeout: 20_000 }).toMatch(/401/);
    await run('grantPull', grant());
    await ready;
    await run('removeService', removal());
  });

  it('whose server crashes fails with the last lines of its log', async () => {
    const converted = await local.convertedModel(spoilGolden);
    const input = await local.release({ deploymentId: OURS, converted });
    await run('beginRelease', input);
    await expect(run('awaitRelease', input)).rejects.toEqual(failure('PodCrashed', /golden/));
    await run('removeService', removal());
  });

  it('that no node has room for waits, and says so', async () => {
    const input = await local.release({ deploymentId: OURS, scoring: { cpu: '64' } });
    await run('beginRelease', input);
    await expect(run('awaitRelease', input, { budgetMs: 3000 })).rejects.toEqual(failure('NoRoom', /cpu/));
    await run('removeService', removal());
  });

  it('that serves another model than was built does not pass the smoke step', async () => {
    const input = await local.release({ deploymentId: OURS });
    await run('beginRelease', input);
    await run('awaitRelease', input);
    const other = await local.convertedModel((directory) => appendFile(join(directory, 'manifest.json'), '\n'));
    await expect(run('smokeScore', { ...input, converted: other })).rejects.toEqual(failure('ModelDigestMismatch'));
    const [first, ...rest] = input.photos;
    const wrong = { ...input, photos: first ? [{ ...first, expect: 999 }, ...rest] : [] };
    await expect(run('smokeScore', wrong)).rejects.toEqual(failure('ExpectedClassMissing'));
    await run('removeService', removal());
  });

  it('cannot be scored through a pod that is gone, and the tunnel says why', async () => {
    const signal = AbortSignal.timeout(10_000);
    const ref = clusterRef(local.identity(OURS), 'slipway-pets');
    const tunnel = await PodTunnel.open(await connectToKubernetes(local.azure, ref, signal), 'gone', 8500);
    const client = PredictClient.connect({ address: tunnel.address, model: 'pets' });
    await expect(client.metadata({ timeoutMs: 2000 })).rejects.toThrow(PredictError);
    expect(tunnel.refusal?.message).toMatch(/No port-forward to gone: .*404/);
    client.close();
    await tunnel.close();
  });

  it('does not touch what others made under its names', async () => {
    const input = await local.release({ deploymentId: OURS });
    const spec = { ports: [{ port: 80 }], selector: { app: 'other' } };
    await clients.core.createNamespacedService({ namespace, body: { metadata: { name: 'pets' }, spec } });
    await expect(run('beginSwitch', input)).rejects.toEqual(failure('NameConflict', /Service pets/));
    expect(await run('removeService', removal())).toEqual({ removed: [] });
    expect((await clients.core.readNamespacedService({ name: 'pets', namespace })).spec?.selector).toEqual({
      app: 'other',
    });
    await clients.core.deleteNamespacedService({ name: 'pets', namespace });
  });

  it('keeps the cluster and the right to pull while another service uses them', async () => {
    const owner = { 'slipway.dev/owner': 'ffffffffffff/dother' };
    const body = deployment('other', 'none', { replicas: 0, annotations: owner });
    body.metadata = { ...body.metadata, labels: { 'slipway.dev/service': 'other' } };
    await clients.apps.createNamespacedDeployment({ namespace, body });
    expect(await run('removeRoleAssignment', removal())).toEqual({ removed: [] });
    await expect(run('removeCluster', removal())).rejects.toEqual(failure('ClusterInUse', /default\/other/));

    await clients.apps.deleteNamespacedDeployment({ name: 'other', namespace });
    expect((await run('removeRoleAssignment', removal())).removed).toHaveLength(1);
    await run('removeCluster', removal());
    expect(await clusterNames()).not.toContain('slipway-pets');
  });
});

/** Changes what TensorFlow is said to have given, so that the server's check of itself fails. */
async function spoilGolden(directory: string): Promise<void> {
  const file = join(directory, 'manifest.json');
  const manifest = JSON.parse(await readFile(file, 'utf8')) as {
    goldens: { outputs: Record<string, { file: string; sha256: string }> }[];
  };
  const [output] = Object.values(manifest.goldens[0]?.outputs ?? {});
  if (output === undefined) throw new Error('the model has no golden');
  const spoiled = Buffer.from(await readFile(join(directory, output.file)));
  spoiled.writeFloatLE(12345, 0);
  await writeFile(join(directory, output.file), spoiled);
  output.sha256 = digestOf(spoiled);
  await writeFile(file, JSON.stringify(manifest));
}
