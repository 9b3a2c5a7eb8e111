import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createActivities } from '../../src/activities/activities.js';
import { fetchConvertedModel } from '../../src/activities/converted-model-files.js';
import { blobPath, openBlobStore, readBlob, type BlobStore } from '../../src/azure/blobs.js';
import { connectToAzure, type AzureConnection } from '../../src/azure/connection.js';
import { findModelContainers } from '../../src/azure/model-containers.js';
import { type Transfer, TransferTally } from '../../src/azure/transfer.js';
import { readTree, uploadModel, uploadPhoto } from '../../src/azure/uploads.js';
import { getWorkspace } from '../../src/azure/workspace.js';
import type {
  ConversionInput,
  DeploymentActivities,
  ModelVersion,
  Workspace,
} from '../../src/deployment/activities.js';
import type { Digest } from '../../src/deployment/digests.js';
import { FailureType } from '../../src/deployment/errors.js';
import { identify } from '../../src/deployment/identity.js';
import type { ClusterInput, ModelInput, SmokePhoto } from '../../src/deployment/input.js';
import { CLUSTER_TAG, ownershipMark, type Identity } from '../../src/deployment/names.js';
import { ActivityRunner } from '../fixtures/activities.js';
import { startEmulator, type TestEmulator } from '../fixtures/emulator.js';

let emulator: TestEmulator;
let runner: ActivityRunner;
let directory: string;
let workspace: Workspace;
let store: BlobStore;
let azure: AzureConnection;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'slipway-activities-'));
  emulator = await startEmulator();
  azure = connectToAzure(emulator.environment);
  const activities = createActivities({
    azure,
    home: path.join(directory, 'home'),
    conversion: fileURLToPath(new URL('../fixtures/conversion-stub', import.meta.url)),
    runtime: await writeRuntime(),
  });
  runner = new ActivityRunner(activities);
  workspace = await getWorkspace(azure, emulator.endpoints, AbortSignal.timeout(60_000));
  store = await openBlobStore(azure, workspace, AbortSignal.timeout(60_000));
});
afterAll(async () => {
  await emulator.stop();
  await rm(directory, { recursive: true });
});

async function writeRuntime(): Promise<string> {
  const runtime = path.join(directory, 'runtime');
  await mkdir(runtime);
  await writeFile(path.join(runtime, 'server.mjs'), 'setInterval(() => {}, 1000);');
  return runtime;
}

/** A service of the test's own, its model and its photo. */
async function service(name: string, content = name) {
  const { subscriptionId, resourceGroup, workspaceName } = emulator.endpoints;
  const place = { subscriptionId, resourceGroup, workspaceName, service: name };
  const saved = path.join(directory, `saved-${content}`);
  await mkdir(path.join(saved, 'variables'), { recursive: true });
  await writeFile(path.join(saved, 'saved_model.pb'), content);
  await writeFile(path.join(saved, 'variables', 'variables.index'), '');
  const model: ModelInput = {
    source: await uploadModel(store, await readTree(saved)),
    name,
    description: 'a boat',
    tags: { team: 'yard' },
    properties: {},
    signature: 'serving_default',
    input: 'images',
    outputs: ['y'],
  };
  const photos: SmokePhoto[] = [
    { name: 'boat.jpg', digest: await uploadPhoto(store, Buffer.from('not quite a JPEG')) },
  ];
  const cluster = { name: `slipway-${name}`, existing: false, vmSize: 'Standard_D4s_v3', nodeCount: 1 };
  const scoring = { replicas: 1, cpu: '1', memory: '1Gi', auth: 'key' as const, connectionAgeSeconds: 2 };
  return { model, photos, cluster, scoring, workspace, first: identify(place), second: identify(place) };
}

/** What changed since a point of the journal, and of which kind it is; blobs are cache and do not count. */
async function changesSince(seq: number): Promise<string[]> {
  const entries = await emulator.journal(seq);
  return entries.flatMap(({ effect }) =>
    effect && effect.change !== 'unchanged' && effect.kind !== 'blob' ? [`${effect.change} ${effect.kind}`] : [],
  );
}
const now = async () => (await emulator.journal()).at(-1)?.seq ?? 0;
const owned = async (mark: string) => (await emulator.inventory(mark)).map(({ kind }) => kind).sort();

describe('registering a model', () => {
  it('makes version 1, and the same content of the same service is the same version', async () => {
    const { first, second, ...input } = await service('sloop');
    const version = await runner.attempt('registerModel', { identity: first, ...input });
    expect(version).toMatchObject({
      name: 'sloop',
      version: '1',
      digest: (input.model.source as { digest: string }).digest,
    });
    expect(Date.parse(version.createdAt)).toBeGreaterThan(Date.now() - 600_000);
    const before = await now();
    expect(await runner.attempt('registerModel', { identity: second, ...input })).toEqual(version);
    expect(await changesSince(before)).toEqual([]);
    expect(await owned(ownershipMark(first))).toEqual(['model-container', 'model-version']);
  });

  it('tells how many of its bytes are sent, and how many were there', async () => {
    const saved = path.join(directory, 'saved-barge');
    await mkdir(saved);
    await writeFile(path.join(saved, 'saved_model.pb'), Buffer.alloc(300_000, 'barge'));
    await writeFile(path.join(saved, 'fingerprint.pb'), Buffer.alloc(1_000, 'barge'));
    const tree = await readTree(saved);
    const upload = async () => {
      const told: Transfer[] = [];
      const tally = new TransferTally([300_000, 1_000], (transfer) => told.push(transfer));
      await uploadModel(store, tree, { tally });
      return told;
    };
    const told = await upload();
    expect(told[0]).toEqual({ total: 301_000, present: 0, moved: 0, parts: 2, partsPresent: 0 });
    expect(told.at(-1)).toMatchObject({ present: 0, moved: 301_000 });
    expect(told.some(({ moved }) => moved > 1_000 && moved < 300_000)).toBe(true);
    expect((await upload()).at(-1)).toMatchObject({ present: 301_000, moved: 0, partsPresent: 2 });
  });

  it('numbers go on after a removal', async () => {
    const { first, second, ...input } = await service('yawl', 'yawl-1');
    const other = await service('yawl', 'yawl-2');
    await runner.attempt('registerModel', { identity: first, ...input });
    const next = { ...input, model: other.model };
    expect(await runner.attempt('registerModel', { identity: second, ...next })).toMatchObject({ version: '2' });
    const removal = { scope: 'deployment', modelName: 'yawl' } as const;
    expect(await runner.attempt('removeRegisteredModel', { identity: second, ...removal })).toEqual({
      removed: ['yawl:2'],
    });
    expect(await owned(ownershipMark(first))).toEqual(['model-container', 'model-version']);
    expect(await runner.attempt('registerModel', { identity: second, ...next })).toMatchObject({ version: '3' });
    await runner.attempt('removeRegisteredModel', { identity: first, scope: 'service', modelName: 'yawl' });
    expect(await owned(first.uid)).toEqual([]);
  });

  it('never touches a model that is not ours', async () => {
    const ketch = await service('ketch');
    await runner.attempt('registerModel', { identity: ketch.first, ...ketch });
    const thief = await service('thief');
    const model = { ...thief.model, name: 'ketch' };
    const before = await now();
    await expect(runner.attempt('registerModel', { ...thief, identity: thief.first, model })).rejects.toMatchObject({
      type: FailureType.NameConflict,
      nonRetryable: true,
    });
    await runner.attempt('removeRegisteredModel', { identity: thief.first, scope: 'service', modelName: 'ketch' });
    expect(await changesSince(before)).toEqual([]);
  });

  it.each([
    ['2', '2'],
    ['latest', '2'],
    ['1', '1'],
  ])('takes version %s of a model that someone registered', async (version, expected) => {
    const owner = await service('cutter', 'cutter-1');
    const newer = await service('cutter', 'cutter-2');
    await runner.attempt('registerModel', { ...owner, identity: owner.first });
    await runner.attempt('registerModel', { ...newer, identity: owner.first });
    const user = await service('user');
    const model = { ...user.model, source: { kind: 'registered', name: 'cutter', version } as const };
    const found = await runner.attempt('registerModel', { ...user, identity: user.first, model });
    expect(found).toMatchObject({ name: 'cutter', version: expected });
    await runner.attempt('removeRegisteredModel', { identity: user.first, scope: 'service', modelName: 'user' });
    expect(await owned(user.first.uid)).toEqual([]);
  });

  it('keeps a service on its cluster', async () => {
    const { first, second, ...input } = await service('tug');
    await runner.attempt('registerModel', { identity: first, ...input });
    const elsewhere = { ...input.cluster, name: 'another' };
    const refused = { type: 'ServiceOnOtherCluster', nonRetryable: true };
    const settings = {
      compute: 'serverless',
      instanceType: 'Standard_D4s_v3',
      maxMemory: '6G',
      parity: { relative: 0.001, top5: 5 },
    };
    const moving = { identity: second, ...input, cluster: elsewhere, settings, patienceMinutes: 0 };
    await expect(runner.attempt('preflight', moving)).rejects.toMatchObject(refused);
    const renamed = { ...moving, model: { ...input.model, name: 'tug-2' } };
    await expect(runner.attempt('preflight', renamed)).rejects.toMatchObject(refused);
  });

  it('of a service is undone whatever name its deployments gave it', async () => {
    const { first, second, ...input } = await service('punt');
    await runner.attempt('registerModel', { identity: first, ...input });
    const renamed = { ...input.model, name: 'punt-2' };
    await runner.attempt('registerModel', { identity: second, ...input, model: renamed });
    const { removed } = await runner.attempt('removeRegisteredModel', { identity: first, scope: 'service' });
    expect([...removed].sort()).toEqual(['punt-2:1', 'punt:1']);
    expect(await owned(first.uid)).toEqual([]);
  });

  it('ends with one version when the replies are lost', async () => {
    const { first, second: _second, ...input } = await service('lugger');
    const put = (path: string) => ({
      match: { method: 'PUT', path },
      when: 'after' as const,
      then: { reset: true as const },
    });
    await emulator.inject({ name: 'lost-container', ...put('/models/lugger$') });
    await emulator.inject({ name: 'lost-version', ...put('/models/lugger/versions/') });
    const { result } = await runner.retried('registerModel', { identity: first, ...input });
    expect(result.version).toBe('1');
    expect((await emulator.faults()).map(({ fired }) => fired)).toEqual([1, 1]);
    await emulator.clearFaults();
    expect(await owned(ownershipMark(first))).toEqual(['model-container', 'model-version']);
  });

  it('does not believe in an absence before a lost request has had its time', async () => {
    const { first } = await service('dory');
    const absentAfter = Date.now() + 500;
    const removal = { identity: first, scope: 'deployment', modelName: 'dory', absentAfter } as const;
    const { result, waits } = await runner.retried('removeRegisteredModel', removal);
    expect(result).toEqual({ removed: [] });
    expect(waits.length).toBeGreaterThan(0);
  });
});

describe('a conversion', () => {
  async function registered(name: string, signature = 'serving_default') {
    const made = await service(name);
    const model = { ...made.model, signature };
    const source = await runner.attempt('registerModel', { ...made, model, identity: made.first });
    const settings = {
      compute: 'serverless',
      instanceType: 'Standard_D4s_v3',
      maxMemory: '6G',
      parity: { relative: 0.001, top5: 5 },
    };
    const input = (identity: Identity): ConversionInput & { cluster: ClusterInput } => ({
      ...made,
      identity,
      model,
      source,
      settings,
    });
    return { ...made, input, source };
  }

  it('runs as a job, is registered beside its source, and is not run twice', async () => {
    const { input, first, second, source, scoring } = await registered('schooner');
    const begun = await runner.attempt('beginConversion', { ...input(first), attempt: 1 });
    const jobName = begun.jobName ?? '';
    expect(jobName).toContain(first.deploymentId);
    const submitted = await now();
    expect(await runner.attempt('beginConversion', { ...input(first), attempt: 1 })).toEqual(begun);
    expect(await changesSince(submitted)).not.toContain('created job');
    const { waits } = await runner.retried('awaitConversion', { identity: first, jobName });
    expect(waits.join('\n')).toMatch(/^Azure ML job is \w+.*, \d+ s$/m);

    const registering = { ...input(first), conversion: begun };
    const converted = await runner.attempt('registerConvertedModel', registering);
    expect(converted).toMatchObject({ name: 'schooner-onnx', version: '1' });
    const before = await now();
    expect(await runner.attempt('registerConvertedModel', registering)).toEqual(converted);
    expect(await runner.attempt('beginConversion', { ...input(second), attempt: 1 })).toEqual({
      ...begun,
      jobName: null,
    });
    expect(await changesSince(before)).toEqual([]);

    await isFetchedInBytes(converted);
    await pushesOneImage({ first, second, source, converted, scoring });
    await convertsForAnotherService(input(first));

    const removal = { identity: first, scope: 'service' } as const;
    expect(await runner.attempt('removeConvertedModel', removal)).toEqual({ removed: ['schooner-onnx:1'] });
    expect((await runner.retried('removeJob', removal)).result).toEqual({ removed: [jobName] });
    await runner.attempt('removeRegisteredModel', removal);
    expect(await owned(first.uid)).toEqual([]);
  });

  async function isFetchedInBytes(converted: ModelVersion) {
    const told: Transfer[] = [];
    const options = { abortSignal: AbortSignal.timeout(60_000), onTransfer: (each: Transfer) => told.push(each) };
    const fetched = await fetchConvertedModel(store, converted, path.join(directory, 'fetched'), options);
    const { size } = await stat(path.join(fetched, 'model.onnx'));
    expect(told[0]?.moved).toBe(0);
    expect(told[0]?.total).toBeGreaterThan(size);
    expect(told.at(-1)).toEqual({ ...told[0], moved: told[0]?.total });
  }

  /** A service whose source model is someone else's, and has no container but that of the converted model. */
  async function convertsForAnotherService(input: ConversionInput) {
    const user = await service('dockyard');
    const model = { ...input.model, name: 'dockyard' };
    const shared = { ...input, identity: user.first, model, cluster: user.cluster };
    const conversion = await runner.attempt('beginConversion', { ...shared, attempt: 1 });
    expect(conversion.jobName).toBeNull();
    await runner.attempt('registerConvertedModel', { ...shared, conversion });
    const containers = await findModelContainers(azure, user.first, AbortSignal.timeout(60_000));
    expect(containers.map(({ name, tags }) => [name, tags[CLUSTER_TAG]?.split('/').at(-1)])).toEqual([
      ['dockyard-onnx', 'slipway-dockyard'],
    ]);
  }

  async function pushesOneImage({
    first,
    second,
    ...input
  }: { first: Identity; second: Identity } & Omit<
    Parameters<DeploymentActivities['pushImage']>[0],
    'identity' | 'workspace'
  >) {
    const heartbeats: unknown[] = [];
    const image = await runner.run('pushImage', { identity: first, workspace, ...input }, { heartbeats });
    // What it is at is said again every second, with bytes where there are any.
    const phases = ['downloading the converted model', 'assembling the layers', 'pushing'];
    expect([...new Set(heartbeats)].filter((said) => phases.includes(String(said)))).toEqual(phases);
    expect(image).toMatchObject({ repository: `slipway/${first.uid}`, tag: image.releaseDigest.slice(7, 19) });
    await keepsItsBuildLog(image.digest, () => runner.attempt('pushImage', { identity: first, workspace, ...input }));
    const pushed = await now();
    expect(await runner.attempt('pushImage', { identity: first, workspace, ...input })).toEqual(image);
    expect(await changesSince(pushed)).toEqual([]);

    expect(await runner.attempt('pushImage', { identity: second, workspace, ...input })).toEqual(image);
    expect(await changesSince(pushed)).toEqual([]);
    const undo = { identity: second, scope: 'deployment' } as const;
    expect(await runner.attempt('removeImage', undo)).toEqual({ removed: [] });

    const scoring = { ...input.scoring, memory: '2Gi' };
    const other = await runner.attempt('pushImage', { identity: second, workspace, ...input, scoring });
    expect(other).toMatchObject({ digest: image.digest });
    const repository = `slipway/${first.uid}`;
    expect(await runner.attempt('removeImage', undo)).toEqual({ removed: [`${repository}:${second.deploymentId}`] });
    expect(await runner.attempt('removeImage', undo)).toEqual({ removed: [] });
    const whole = { removed: [`${repository}@${image.digest}`] };
    expect(await runner.attempt('removeImage', { ...undo, identity: first })).toEqual(whole);
    await runner.attempt('pushImage', { identity: first, workspace, ...input });
    expect(await runner.attempt('removeImage', { identity: second, scope: 'service' })).toEqual(whole);
  }

  /** An attempt that ended between the push and its log leaves the log to the next one. */
  async function keepsItsBuildLog(image: Digest, pushAgain: () => Promise<unknown>) {
    const log = `slipway/build-logs/${image.slice('sha256:'.length)}`;
    const logs = async () => {
      const texts: string[] = [];
      for await (const { name } of store.container.listBlobsFlat({ prefix: log })) {
        texts.push(String(await readBlob(store, name, AbortSignal.timeout(60_000))));
        await store.container.deleteBlob(name);
      }
      return texts;
    };
    expect(await logs()).toEqual([expect.stringMatching(new RegExp(`@${image}$[^]*^config .* sent$`, 'm'))]);
    await pushAgain();
    expect(await logs()).toEqual([expect.stringMatching(/^config .* already there$/m)]);
    await pushAgain();
  }

  it('whose result was damaged makes no image', async () => {
    const { input, first, source, scoring } = await registered('hulk');
    const begun = await runner.attempt('beginConversion', { ...input(first), attempt: 1 });
    await runner.retried('awaitConversion', { identity: first, jobName: begun.jobName ?? '' });
    const converted = await runner.attempt('registerConvertedModel', { ...input(first), conversion: begun });
    const file = `${blobPath.conversion(begun.digest)}/model.onnx`;
    await store.container.getBlockBlobClient(file).uploadData(Buffer.from('barnacles'));
    await expect(
      runner.attempt('pushImage', { identity: first, workspace, source, converted, scoring }),
    ).rejects.toMatchObject({ type: 'ConvertedModelDamaged', nonRetryable: true });
  });

  it.each([
    ['broken', { type: 'SignatureNotFound', nonRetryable: true }, 'There is no signature broken.'],
    ['killed', { nonRetryable: true }, 'phase=convert'],
  ])('that fails (%s) gives its reason and the end of its log', async (signature, expected, text) => {
    const { input, first } = await registered(`wreck-${signature}`, signature);
    const { jobName } = await runner.attempt('beginConversion', { ...input(first), attempt: 1 });
    const failure = await runner
      .retried('awaitConversion', { identity: first, jobName: jobName ?? '' })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject(expected);
    expect(String(failure)).toContain(text);
  });

  it('says what it is at, and is cancelled and deleted by its undo while it runs', async () => {
    const { input, first } = await registered('raft', 'slow');
    const { jobName } = await runner.attempt('beginConversion', { ...input(first), attempt: 1 });
    const failures: ApplicationFailure[] = [];
    const awaited = runner
      .run('awaitConversion', { identity: first, jobName: jobName ?? '' }, { failures })
      .catch((error: unknown) => error);
    const phase = /^Azure ML job is Running: converting, \d+ s$/;
    await vi.waitFor(() => expect(failures.at(-1)?.message).toMatch(phase), { timeout: 30_000 });
    const before = await now();
    const { result } = await runner.retried('removeJob', { identity: first, scope: 'deployment' });
    expect(result).toEqual({ removed: [jobName] });
    expect(await awaited).toMatchObject({ nonRetryable: true });
    const calls = (await emulator.journal(before)).map(({ method, path }) => `${method} ${path.split('/').at(-1)}`);
    expect(calls.filter((call) => call === 'POST cancel')).toHaveLength(1);
    expect(await owned(ownershipMark(first))).toEqual(['model-container', 'model-version']);
  });
});
