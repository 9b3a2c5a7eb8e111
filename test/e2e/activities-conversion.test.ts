import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { fetchConvertedModel } from '../../src/activities/converted-model-files.js';
import { blobPath, readBlob } from '../../src/azure/blobs.js';
import { findModelContainers } from '../../src/azure/model-containers.js';
import type { Transfer } from '../../src/azure/transfer.js';
import type { ConversionInput, DeploymentActivities, ModelVersion } from '../../src/deployment/activities.js';
import { digestOf, type Digest } from '../../src/deployment/digests.js';
import type { ClusterInput } from '../../src/deployment/input.js';
import { CLUSTER_TAG, ownershipMark, type Identity } from '../../src/deployment/names.js';
import { CONVERSION } from '../fixtures/conversion-settings.js';
import { ModelActivities } from '../fixtures/model-activities.js';

let local: ModelActivities;
beforeAll(async () => {
  local = await ModelActivities.start();
});
afterAll(() => local?.stop());

describe('a conversion', () => {
  async function registered(name: string, signature = 'serving_default') {
    const made = await local.service(name);
    const model = { ...made.model, signature };
    const source = await local.runner.attempt('registerModel', { ...made, model, identity: made.first });
    const input = (identity: Identity): ConversionInput & { cluster: ClusterInput } => ({
      ...made,
      identity,
      model,
      source,
      settings: CONVERSION,
    });
    return { ...made, input, source };
  }

  it('runs as a job, is registered beside its source, and is not run twice', async () => {
    const { input, first, second, source, scoring } = await registered('schooner');
    const begun = await local.runner.attempt('beginConversion', { ...input(first), attempt: 1 });
    const jobName = begun.jobName ?? '';
    expect(jobName).toContain(first.deploymentId);
    const submitted = await local.now();
    expect(await local.runner.attempt('beginConversion', { ...input(first), attempt: 1 })).toEqual(begun);
    expect(await local.changesSince(submitted)).not.toContain('created job');
    const { waits } = await local.runner.retried('awaitConversion', { identity: first, jobName });
    expect(waits.join('\n')).toMatch(/^Azure ML job is \w+.*, \d+ s$/m);

    const registering = { ...input(first), conversion: begun };
    const converted = await local.runner.attempt('registerConvertedModel', registering);
    expect(converted).toMatchObject({ name: 'schooner-onnx', version: '1' });
    const before = await local.now();
    expect(await local.runner.attempt('registerConvertedModel', registering)).toEqual(converted);
    expect(await local.runner.attempt('beginConversion', { ...input(second), attempt: 1 })).toEqual({
      ...begun,
      jobName: null,
    });
    expect(await local.changesSince(before)).toEqual([]);

    await isFetchedInBytes(converted);
    await pushesOneImage({ first, second, source, converted, scoring });
    await convertsForAnotherService(input(first));

    const removal = { identity: first, scope: 'service' } as const;
    expect(await local.runner.attempt('removeConvertedModel', removal)).toEqual({ removed: ['schooner-onnx:1'] });
    expect((await local.runner.retried('removeJob', removal)).result).toEqual({ removed: [jobName] });
    await local.runner.attempt('removeRegisteredModel', removal);
    expect(await local.owned(first.uid)).toEqual([]);
  });

  async function isFetchedInBytes(converted: ModelVersion) {
    const told: Transfer[] = [];
    const options = { abortSignal: AbortSignal.timeout(60_000), onTransfer: (each: Transfer) => told.push(each) };
    const fetched = await fetchConvertedModel(local.store, converted, path.join(local.directory, 'fetched'), options);
    const { size } = await stat(path.join(fetched, 'model.onnx'));
    expect(told[0]?.moved).toBe(0);
    expect(told[0]?.total).toBeGreaterThan(size);
    expect(told.at(-1)).toEqual({ ...told[0], moved: told[0]?.total });
  }

  /** A service whose source model is someone else's, and has no container but that of the converted model. */
  async function convertsForAnotherService(input: ConversionInput) {
    const user = await local.service('dockyard');
    const model = { ...input.model, name: 'dockyard' };
    const shared = { ...input, identity: user.first, model, cluster: user.cluster };
    const conversion = await local.runner.attempt('beginConversion', { ...shared, attempt: 1 });
    expect(conversion.jobName).toBeNull();
    await local.runner.attempt('registerConvertedModel', { ...shared, conversion });
    const containers = await findModelContainers(local.azure, user.first, AbortSignal.timeout(60_000));
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
    const image = await local.runner.run(
      'pushImage',
      { identity: first, workspace: local.workspace, ...input },
      { heartbeats },
    );
    // What it is at is said again every second, with bytes where there are any.
    const phases = ['downloading the converted model', 'assembling the layers', 'pushing'];
    expect([...new Set(heartbeats)].filter((said) => phases.includes(String(said)))).toEqual(phases);
    expect(image).toMatchObject({ repository: `slipway/${first.uid}`, tag: image.releaseDigest.slice(7, 19) });
    await keepsItsBuildLog(image.digest, () =>
      local.runner.attempt('pushImage', { identity: first, workspace: local.workspace, ...input }),
    );
    const pushed = await local.now();
    expect(await local.runner.attempt('pushImage', { identity: first, workspace: local.workspace, ...input })).toEqual(
      image,
    );
    expect(await local.changesSince(pushed)).toEqual([]);

    expect(await local.runner.attempt('pushImage', { identity: second, workspace: local.workspace, ...input })).toEqual(
      image,
    );
    expect(await local.changesSince(pushed)).toEqual([]);
    const undo = { identity: second, scope: 'deployment' } as const;
    expect(await local.runner.attempt('removeImage', undo)).toEqual({ removed: [] });

    const scoring = { ...input.scoring, memory: '2Gi' };
    const other = await local.runner.attempt('pushImage', {
      identity: second,
      workspace: local.workspace,
      ...input,
      scoring,
    });
    expect(other).toMatchObject({ digest: image.digest });
    const repository = `slipway/${first.uid}`;
    expect(await local.runner.attempt('removeImage', undo)).toEqual({
      removed: [`${repository}:${second.deploymentId}`],
    });
    expect(await local.runner.attempt('removeImage', undo)).toEqual({ removed: [] });
    const whole = { removed: [`${repository}@${image.digest}`] };
    expect(await local.runner.attempt('removeImage', { ...undo, identity: first })).toEqual(whole);
    await local.runner.attempt('pushImage', { identity: first, workspace: local.workspace, ...input });
    expect(await local.runner.attempt('removeImage', { identity: second, scope: 'service' })).toEqual(whole);
  }

  /** An attempt that ended between the push and its log leaves the log to the next one. */
  async function keepsItsBuildLog(image: Digest, pushAgain: () => Promise<unknown>) {
    const log = `slipway/build-logs/${image.slice('sha256:'.length)}`;
    const logs = async () => {
      const texts: string[] = [];
      for await (const { name } of local.store.container.listBlobsFlat({ prefix: log })) {
        texts.push(String(await readBlob(local.store, name, AbortSignal.timeout(60_000))));
        await local.store.container.deleteBlob(name);
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
    const begun = await local.runner.attempt('beginConversion', { ...input(first), attempt: 1 });
    await local.runner.retried('awaitConversion', { identity: first, jobName: begun.jobName ?? '' });
    const converted = await local.runner.attempt('registerConvertedModel', { ...input(first), conversion: begun });
    const file = `${blobPath.conversion(begun.digest)}/model.onnx`;
    await local.store.container.getBlockBlobClient(file).uploadData(Buffer.from('barnacles'));
    await expect(
      local.runner.attempt('pushImage', { identity: first, workspace: local.workspace, source, converted, scoring }),
    ).rejects.toMatchObject({ type: 'ConvertedModelDamaged', nonRetryable: true });
  });

  it('whose calibration photos are gone from the blob store is not begun', async () => {
    const { input, first } = await registered('canoe');
    const calibration = { digest: digestOf('photos of long ago'), count: 40 };
    const settings = {
      ...CONVERSION,
      quantize: { to: 'int8' as const, calibration, parity: { relative: 0.1, top5: 3 } },
    };
    const before = await local.now();
    await expect(
      local.runner.attempt('beginConversion', { ...input(first), settings, attempt: 1 }),
    ).rejects.toMatchObject({ type: 'PhotoMissing', nonRetryable: true });
    expect(await local.changesSince(before)).not.toContain('created job');
  });

  it.each([
    ['broken', { type: 'SignatureNotFound', nonRetryable: true }, 'There is no signature broken.'],
    ['killed', { nonRetryable: true }, 'phase=convert'],
  ])('that fails (%s) gives its reason and the end of its log', async (signature, expected, text) => {
    const { input, first } = await registered(`wreck-${signature}`, signature);
    const { jobName } = await local.runner.attempt('beginConversion', { ...input(first), attempt: 1 });
    const failure = await local.runner
      .retried('awaitConversion', { identity: first, jobName: jobName ?? '' })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject(expected);
    expect(String(failure)).toContain(text);
  });

  it('says what it is at, and is cancelled and deleted by its undo while it runs', async () => {
    const { input, first } = await registered('raft', 'slow');
    const { jobName } = await local.runner.attempt('beginConversion', { ...input(first), attempt: 1 });
    const failures: ApplicationFailure[] = [];
    const awaited = local.runner
      .run('awaitConversion', { identity: first, jobName: jobName ?? '' }, { failures })
      .catch((error: unknown) => error);
    const phase = /^Azure ML job is Running: converting, \d+ s$/;
    await vi.waitFor(() => expect(failures.at(-1)?.message).toMatch(phase), { timeout: 30_000 });
    const before = await local.now();
    const { result } = await local.runner.retried('removeJob', { identity: first, scope: 'deployment' });
    expect(result).toEqual({ removed: [jobName] });
    expect(await awaited).toMatchObject({ nonRetryable: true });
    const calls = (await local.emulator.journal(before)).map(
      ({ method, path }) => `${method} ${path.split('/').at(-1)}`,
    );
    expect(calls.filter((call) => call === 'POST cancel')).toHaveLength(1);
    expect(await local.owned(ownershipMark(first))).toEqual(['model-container', 'model-version']);
  });
});
