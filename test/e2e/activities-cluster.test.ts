import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clusterRef } from '../../src/azure/clusters.js';
import { connectToKubernetes } from '../../src/azure/kubernetes/connection.js';
import type { SmokeInput } from '../../src/deployment/activities.js';
import type { ActivityRunner } from '../fixtures/activities.js';
import { startEmulator, type TestEmulator } from '../fixtures/emulator.js';
import { LocalReleases } from '../fixtures/local-release.js';

const FIRST = 'daaaaaaaaaaa';
const SECOND = 'dbbbbbbbbbbb';
const THIRD = 'dccccccccccc';
/** A class that the model does not have. */
const NO_CLASS = 99_999;
const TIMEOUT_MS = 30_000;

let emulator: TestEmulator;
let local: LocalReleases;
let run: ActivityRunner['run'];
beforeAll(async () => {
  emulator = await startEmulator();
  local = await LocalReleases.open(emulator);
  ({ run } = local);
});
afterAll(() => emulator?.stop());

async function namesOf(kind: string): Promise<string[]> {
  const items = await emulator.inventory();
  return items.filter((item) => item.kind === kind && item.name.startsWith('pets')).map(({ name }) => name);
}

async function changesSince(seq: number): Promise<string[]> {
  const effects = (await emulator.journal(seq)).flatMap(({ effect }) => effect ?? []);
  return effects
    .filter(({ change }) => change !== 'unchanged')
    .map(({ change, kind, id }) => `${change} ${kind} ${id}`);
}

describe('a release on a cluster of its own', () => {
  let first: SmokeInput;
  let address: string;

  it('waits for the cluster with its state and age, and may then pull', async () => {
    const input = { identity: local.identity(FIRST), workspace: local.workspace, cluster: local.cluster() };
    await run('beginCluster', input);
    const failures: ApplicationFailure[] = [];
    const { detail } = await run('awaitCluster', input, { failures });
    expect(failures[0]).toMatchObject({
      type: 'StillRunning',
      message: expect.stringMatching(/^AKS cluster slipway-pets is Creating, \d+ s$/) as string,
    });
    expect(detail).toMatch(/^slipway-pets, Kubernetes 1\.\d+.*, 1 × Standard_D4s_v3$/);
    await run('grantPull', input);
  });

  it('goes live once it has scored, and answers from outside', async () => {
    first = await local.release({ deploymentId: FIRST });
    address = await local.goLive(first);
    expect(address).toMatch(/:8500$/);
    const scores = await run('scorePublic', { ...first, address });
    expect(scores.map(({ image }) => image)).toEqual(first.photos.map(({ name }) => name));
    expect(scores[0]?.top5).toHaveLength(5);
  });

  it('changes nothing when everything is begun again', async () => {
    const seq = await emulator.lastSeq();
    await local.provision(FIRST);
    await local.goLive(first);
    await run('retireReleases', { ...first, keepReleases: 2 });
    expect(await changesSince(seq)).toEqual([]);
  });

  it('is found live as long as it is whole and answers what is expected', async () => {
    const checked = { ...first, keepReleases: 2 };
    const seq = await emulator.lastSeq();
    const live = await run('checkLive', checked);
    expect(live?.address).toBe(address);
    expect(live?.scores.map(({ image }) => image)).toEqual(first.photos.map(({ name }) => name));
    const photos = first.photos.map((photo) => ({ ...photo, expect: NO_CLASS }));
    await expect(run('checkLive', { ...checked, photos })).rejects.toMatchObject({ type: 'ExpectedClassMissing' });
    expect(await changesSince(seq)).toEqual([]);

    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const { core } = await connectToKubernetes(local.azure, clusterRef(first.identity, first.cluster.name), signal);
    await core.deleteNamespacedService({ name: `pets-${first.image.tag}`, namespace: 'default' });
    expect(await run('checkLive', checked)).toBeNull();
    await local.goLive(first);
    expect(await run('checkLive', checked)).toMatchObject({ address });
  });

  it('comes back when the deployment that replaced it is undone', async () => {
    const second = await local.release({ deploymentId: SECOND, scoring: { memory: '768Mi' } });
    await local.goLive(second);
    const { removed } = await run('removeService', {
      identity: second.identity,
      scope: 'deployment',
      cluster: second.cluster,
    });
    expect(removed).toEqual(expect.arrayContaining([`deployment/pets-${second.image.tag}`]));
    expect(removed).not.toContain('service/pets');
    expect(await namesOf('deployment')).toEqual([`pets-${first.image.tag}`]);
    await run('scorePublic', { ...first, address });
  });

  it('drains and goes when another release has taken its place', async () => {
    const second = await local.release({ deploymentId: SECOND, scoring: { memory: '768Mi' } });
    await local.goLive(second);
    await expect(run('retireReleases', { ...second, keepReleases: 1 }, { budgetMs: 1 })).rejects.toMatchObject({
      type: 'StillRunning',
      message: expect.stringMatching(/serves its connections/) as string,
    });
    expect(await namesOf('deployment')).toContain(`pets-${first.image.tag}`);
    expect(await run('checkLive', { ...first, keepReleases: 1 })).toBeNull();
    // Live, but not alone: the older one is yet to be retired.
    expect(await run('checkLive', { ...second, keepReleases: 2 })).toBeNull();
    const { retired } = await run('retireReleases', { ...second, keepReleases: 1 });
    expect(retired).toEqual([`pets-${first.image.tag}`]);
    expect(await namesOf('deployment')).toEqual([`pets-${second.image.tag}`]);
    expect(await namesOf('secret')).toEqual([`pets-${second.image.tag}`]);
    expect(await run('checkLive', { ...second, keepReleases: 1 })).toMatchObject({ address });
  });

  it('takes its image along when it is no longer kept', async () => {
    const digests = async () => {
      const items = await emulator.inventory();
      return items.filter(({ kind }) => kind === 'manifest').map(({ id }) => id.split('@').at(-1));
    };
    const converted = await local.convertedModel((directory) => appendFile(join(directory, 'manifest.json'), '\n'));
    const third = await local.release({ deploymentId: THIRD, converted });
    await local.goLive(third);
    expect(await digests()).toContain(first.image.digest);
    await run('retireReleases', { ...third, keepReleases: 1 });
    expect(await digests()).toEqual([third.image.digest]);
    await run('scorePublic', { ...third, address });
  });

  it('is found and removed by its marks alone, the cluster last', async () => {
    const identity = local.identity('dddddddddddd');
    const location = await run('findService', { identity });
    expect(location).toEqual({ cluster: { name: 'slipway-pets', existing: false }, found: true });

    const removal = { identity, scope: 'service' as const, ...(location.cluster && { cluster: location.cluster }) };
    const service = await run('removeService', removal);
    expect(service.removed).toContain('service/pets');
    expect((await run('removeRoleAssignment', removal)).removed).toHaveLength(1);
    await run('removeImage', removal);
    expect((await run('removeCluster', removal)).removed).toHaveLength(1);
    expect((await emulator.inventory(identity.uid)).map(({ id }) => id)).toEqual([]);
    expect(await run('findService', { identity })).toEqual({ found: false });
  });
});
