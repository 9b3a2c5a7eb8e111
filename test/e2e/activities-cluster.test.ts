import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createActivities } from '../../src/activities/activities.js';
import { blobPath, openBlobStore } from '../../src/azure/blobs.js';
import { connectToAzure, type AzureConnection } from '../../src/azure/connection.js';
import { readTree, uploadPhoto, uploadTree } from '../../src/azure/uploads.js';
import { getWorkspace } from '../../src/azure/workspace.js';
import type { DeploymentActivities, SmokeInput, Workspace } from '../../src/deployment/activities.js';
import { ConvertedModelManifest } from '../../src/deployment/converted-model.js';
import { digestOf } from '../../src/deployment/digests.js';
import { identify } from '../../src/deployment/identity.js';
import type { DeployInput, SmokePhoto } from '../../src/deployment/input.js';
import type { Identity } from '../../src/deployment/names.js';
import { startEmulator, type TestEmulator } from '../fixtures/emulator.js';
import { runActivity } from '../fixtures/run-activity.js';
import { MODEL_DIRECTORY } from '../fixtures/scoring-server.js';

const FIRST = 'daaaaaaaaaaa';
const SECOND = 'dbbbbbbbbbbb';

let emulator: TestEmulator;
let azure: AzureConnection;
let activities: DeploymentActivities;
let workspace: Workspace;
let photos: SmokePhoto[];

function identityOf(deploymentId: string): Identity {
  const { subscriptionId, resourceGroup, workspaceName } = emulator.endpoints;
  return identify({ subscriptionId, resourceGroup, workspaceName, service: 'pets' }, deploymentId);
}

const cluster = { name: 'slipway-pets', existing: false, vmSize: 'Standard_D4s_v3', nodeCount: 1 };

/** Puts the small converted model and its photos where a conversion would leave them. */
async function uploadConvertedModel(): Promise<void> {
  const signal = AbortSignal.timeout(30_000);
  const store = await openBlobStore(azure, workspace, signal);
  await uploadTree(store, blobPath.conversion(digestOf('conversion')), await readTree(MODEL_DIRECTORY));
  const manifest = ConvertedModelManifest.parse(
    JSON.parse(await readFile(join(MODEL_DIRECTORY, 'manifest.json'), 'utf8')),
  );
  photos = await Promise.all(
    manifest.goldens.map(async ({ photo }) => ({
      name: photo,
      digest: await uploadPhoto(store, await readFile(join(MODEL_DIRECTORY, photo))),
    })),
  );
}

/** What the steps before would hand over: the model, and the image that is made and pushed here. */
async function release(deploymentId: string, scoring: Partial<DeployInput['scoring']> = {}): Promise<SmokeInput> {
  const identity = identityOf(deploymentId);
  const store = await openBlobStore(azure, workspace, AbortSignal.timeout(30_000));
  const version = { version: '1', id: '/models/pets/versions/1', createdAt: new Date(0).toISOString() };
  const url = store.uri(blobPath.conversion(digestOf('conversion')));
  const converted = {
    ...version,
    name: 'pets-onnx',
    url,
    digest: digestOf(await readFile(join(MODEL_DIRECTORY, 'manifest.json'))),
  };
  const source = { ...version, name: 'pets', url, digest: digestOf('source') };
  const settings = { replicas: 1, cpu: '500m', memory: '512Mi', auth: 'key' as const, ...scoring };
  const input = { identity, workspace, scoring: settings, converted, source };
  const image = await runActivity(activities.pushImage, input);
  const model = {
    source: { kind: 'registered' as const, name: 'pets', version: '1' },
    name: 'pets',
    tags: {},
    properties: {},
    signature: 'serving_default',
    input: 'images',
    outputs: ['output_alias'],
  };
  return { ...input, cluster, image, model, photos };
}

async function goLive(input: SmokeInput): Promise<string> {
  await runActivity(activities.beginRelease, input);
  await runActivity(activities.awaitRelease, input);
  await runActivity(activities.smokeScore, input);
  await runActivity(activities.beginSwitch, input);
  const { address } = await runActivity(activities.awaitSwitch, input);
  await runActivity(activities.scorePublic, { ...input, address });
  return address;
}

async function namesOf(kind: string): Promise<string[]> {
  const items = await emulator.inventory();
  return items.filter((item) => item.kind === kind && item.name.startsWith('pets')).map(({ name }) => name);
}

/** Calls since `seq` that changed something in the cluster or in Resource Manager. */
async function changesSince(seq: number): Promise<string[]> {
  const entries = await emulator.journal(seq);
  return entries.flatMap(({ effect }) =>
    effect && effect.change !== 'unchanged' ? [`${effect.change} ${effect.kind} ${effect.id}`] : [],
  );
}

async function now(): Promise<number> {
  return (await emulator.journal()).at(-1)?.seq ?? 0;
}

beforeAll(async () => {
  emulator = await startEmulator();
  azure = connectToAzure(emulator.environment);
  activities = createActivities({ azure, home: emulator.state });
  const signal = AbortSignal.timeout(30_000);
  workspace = await getWorkspace(azure, emulator.endpoints, signal);
  await uploadConvertedModel();
});
afterAll(() => emulator?.stop());

describe('a release on a cluster of its own', () => {
  let first: SmokeInput;
  let address: string;

  it('waits for the cluster with its state and age, and may then pull', async () => {
    const input = { identity: identityOf(FIRST), workspace, cluster };
    await runActivity(activities.beginCluster, input);
    const failures: ApplicationFailure[] = [];
    const { detail } = await runActivity(activities.awaitCluster, input, { failures });
    expect(failures[0]).toMatchObject({
      type: 'StillRunning',
      message: expect.stringMatching(/^AKS cluster slipway-pets is Creating, \d+ s$/) as string,
    });
    expect(detail).toMatch(/^slipway-pets, Kubernetes 1\.\d+.*, 1 × Standard_D4s_v3$/);
    await runActivity(activities.grantPull, input);
  });

  it('goes live once it has scored, and answers from outside', async () => {
    first = await release(FIRST);
    address = await goLive(first);
    expect(address).toMatch(/:8500$/);
    const scores = await runActivity(activities.scorePublic, { ...first, address });
    expect(scores.map(({ image }) => image)).toEqual(photos.map(({ name }) => name));
    expect(scores[0]?.top5).toHaveLength(5);
  });

  it('changes nothing when everything is begun again', async () => {
    const seq = await now();
    await runActivity(activities.beginCluster, { identity: first.identity, workspace, cluster });
    await runActivity(activities.grantPull, { identity: first.identity, workspace, cluster });
    await goLive(first);
    await runActivity(activities.retireReleases, { ...first, keepReleases: 2 });
    expect(await changesSince(seq)).toEqual([]);
  });

  it('comes back when the deployment that replaced it is undone', async () => {
    const second = await release(SECOND, { memory: '768Mi' });
    await goLive(second);
    const { removed } = await runActivity(activities.removeService, {
      identity: second.identity,
      scope: 'deployment',
      cluster,
    });
    expect(removed).toEqual(expect.arrayContaining([`deployment/pets-${second.image.tag}`]));
    expect(removed).not.toContain('service/pets');
    expect(await namesOf('deployment')).toEqual([`pets-${first.image.tag}`]);
    await runActivity(activities.scorePublic, { ...first, address });
  });

  it('drains and goes when another release has taken its place', async () => {
    const second = await release(SECOND, { memory: '768Mi' });
    await goLive(second);
    const { retired } = await runActivity(activities.retireReleases, { ...second, keepReleases: 1 });
    expect(retired).toEqual([`pets-${first.image.tag}`]);
    expect(await namesOf('deployment')).toEqual([`pets-${second.image.tag}`]);
    expect(await namesOf('secret')).toEqual([`pets-${second.image.tag}`]);
    await runActivity(activities.scorePublic, { ...second, address });
  });

  it('is found and removed by its marks alone, the cluster last', async () => {
    const identity = identityOf('dcccccccccccc');
    const location = await runActivity(activities.findService, { identity });
    expect(location).toEqual({ cluster: { name: cluster.name, existing: false }, found: true });

    const removal = { identity, scope: 'service' as const, ...(location.cluster && { cluster: location.cluster }) };
    const service = await runActivity(activities.removeService, removal);
    expect(service.removed).toContain('service/pets');
    expect((await runActivity(activities.removeRoleAssignment, removal)).removed).toHaveLength(1);
    await runActivity(activities.removeImage, removal);
    expect((await runActivity(activities.removeCluster, removal)).removed).toHaveLength(1);
    expect((await emulator.inventory(identity.uid)).map(({ id }) => id)).toEqual([]);
  });
});
