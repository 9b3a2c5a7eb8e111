import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Transfer, TransferTally } from '../../src/azure/transfer.js';
import { readTree, uploadModel } from '../../src/azure/uploads.js';
import { FailureType } from '../../src/deployment/errors.js';
import { ownershipMark } from '../../src/deployment/names.js';
import { CONVERSION } from '../fixtures/conversion-settings.js';
import { ModelActivities } from '../fixtures/model-activities.js';

let local: ModelActivities;
beforeAll(async () => {
  local = await ModelActivities.start();
});
afterAll(() => local?.stop());

describe('registering a model', () => {
  it('makes version 1, and the same content of the same service is the same version', async () => {
    const { first, second, ...input } = await local.service('sloop');
    const version = await local.runner.attempt('registerModel', { identity: first, ...input });
    expect(version).toMatchObject({
      name: 'sloop',
      version: '1',
      digest: (input.model.source as { digest: string }).digest,
    });
    expect(Date.parse(version.createdAt)).toBeGreaterThan(Date.now() - 600_000);
    const before = await local.now();
    expect(await local.runner.attempt('registerModel', { identity: second, ...input })).toEqual(version);
    expect(await local.changesSince(before)).toEqual([]);
    expect(await local.owned(ownershipMark(first))).toEqual(['model-container', 'model-version']);
  });

  it('tells how many of its bytes are sent, and how many were there', async () => {
    const saved = path.join(local.directory, 'saved-barge');
    await mkdir(saved);
    await writeFile(path.join(saved, 'saved_model.pb'), Buffer.alloc(300_000, 'barge'));
    await writeFile(path.join(saved, 'fingerprint.pb'), Buffer.alloc(1_000, 'barge'));
    const tree = await readTree(saved);
    const upload = async () => {
      const told: Transfer[] = [];
      const tally = new TransferTally([300_000, 1_000], (transfer) => told.push(transfer));
      await uploadModel(local.store, tree, { tally });
      return told;
    };
    const told = await upload();
    expect(told[0]).toEqual({ total: 301_000, present: 0, moved: 0, parts: 2, partsPresent: 0 });
    expect(told.at(-1)).toMatchObject({ present: 0, moved: 301_000 });
    expect(told.some(({ moved }) => moved > 1_000 && moved < 300_000)).toBe(true);
    expect((await upload()).at(-1)).toMatchObject({ present: 301_000, moved: 0, partsPresent: 2 });
  });

  it('numbers go on after a removal', async () => {
    const { first, second, ...input } = await local.service('yawl', 'yawl-1');
    const other = await local.service('yawl', 'yawl-2');
    await local.runner.attempt('registerModel', { identity: first, ...input });
    const next = { ...input, model: other.model };
    expect(await local.runner.attempt('registerModel', { identity: second, ...next })).toMatchObject({ version: '2' });
    const removal = { scope: 'deployment', modelName: 'yawl' } as const;
    expect(await local.runner.attempt('removeRegisteredModel', { identity: second, ...removal })).toEqual({
      removed: ['yawl:2'],
    });
    expect(await local.owned(ownershipMark(first))).toEqual(['model-container', 'model-version']);
    expect(await local.runner.attempt('registerModel', { identity: second, ...next })).toMatchObject({ version: '3' });
    await local.runner.attempt('removeRegisteredModel', { identity: first, scope: 'service', modelName: 'yawl' });
    expect(await local.owned(first.uid)).toEqual([]);
  });

  it('never touches a model that is not ours', async () => {
    const ketch = await local.service('ketch');
    await local.runner.attempt('registerModel', { identity: ketch.first, ...ketch });
    const thief = await local.service('thief');
    const model = { ...thief.model, name: 'ketch' };
    const before = await local.now();
    await expect(
      local.runner.attempt('registerModel', { ...thief, identity: thief.first, model }),
    ).rejects.toMatchObject({
      type: FailureType.NameConflict,
      nonRetryable: true,
    });
    await local.runner.attempt('removeRegisteredModel', {
      identity: thief.first,
      scope: 'service',
      modelName: 'ketch',
    });
    expect(await local.changesSince(before)).toEqual([]);
  });

  it.each([
    ['2', '2'],
    ['latest', '2'],
    ['1', '1'],
  ])('takes version %s of a model that someone registered', async (version, expected) => {
    const owner = await local.service('cutter', 'cutter-1');
    const newer = await local.service('cutter', 'cutter-2');
    await local.runner.attempt('registerModel', { ...owner, identity: owner.first });
    await local.runner.attempt('registerModel', { ...newer, identity: owner.first });
    const user = await local.service('user');
    const model = { ...user.model, source: { kind: 'registered', name: 'cutter', version } as const };
    const found = await local.runner.attempt('registerModel', { ...user, identity: user.first, model });
    expect(found).toMatchObject({ name: 'cutter', version: expected });
    await local.runner.attempt('removeRegisteredModel', { identity: user.first, scope: 'service', modelName: 'user' });
    expect(await local.owned(user.first.uid)).toEqual([]);
  });

  it('keeps a service on its cluster', async () => {
    const { first, second, ...input } = await local.service('tug');
    await local.runner.attempt('registerModel', { identity: first, ...input });
    const elsewhere = { ...input.cluster, name: 'another' };
    const refused = { type: 'ServiceOnOtherCluster', nonRetryable: true };
    const moving = { identity: second, ...input, cluster: elsewhere, settings: CONVERSION, patienceMinutes: 0 };
    await expect(local.runner.attempt('preflight', moving)).rejects.toMatchObject(refused);
    const renamed = { ...moving, model: { ...input.model, name: 'tug-2' } };
    await expect(local.runner.attempt('preflight', renamed)).rejects.toMatchObject(refused);
  });

  it('of a service is undone whatever name its deployments gave it', async () => {
    const { first, second, ...input } = await local.service('punt');
    await local.runner.attempt('registerModel', { identity: first, ...input });
    const renamed = { ...input.model, name: 'punt-2' };
    await local.runner.attempt('registerModel', { identity: second, ...input, model: renamed });
    const { removed } = await local.runner.attempt('removeRegisteredModel', { identity: first, scope: 'service' });
    expect([...removed].sort()).toEqual(['punt-2:1', 'punt:1']);
    expect(await local.owned(first.uid)).toEqual([]);
  });

  it('ends with one version when the replies are lost', async () => {
    const { first, second: _second, ...input } = await local.service('lugger');
    const put = (path: string) => ({
      match: { method: 'PUT', path },
      when: 'after' as const,
      then: { reset: true as const },
    });
    await local.emulator.inject({ name: 'lost-container', ...put('/models/lugger$') });
    await local.emulator.inject({ name: 'lost-version', ...put('/models/lugger/versions/') });
    const { result } = await local.runner.retried('registerModel', { identity: first, ...input });
    expect(result.version).toBe('1');
    expect(await local.emulator.fired()).toEqual({ 'lost-container': 1, 'lost-version': 1 });
    await local.emulator.clearFaults();
    expect(await local.owned(ownershipMark(first))).toEqual(['model-container', 'model-version']);
  });

  it('does not believe in an absence before a lost request has had its time', async () => {
    const { first } = await local.service('dory');
    const absentAfter = Date.now() + 500;
    const removal = { identity: first, scope: 'deployment', modelName: 'dory', absentAfter } as const;
    const { result, waits } = await local.runner.retried('removeRegisteredModel', removal);
    expect(result).toEqual({ removed: [] });
    expect(waits.length).toBeGreaterThan(0);
  });
});
