import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Kind } from '../../src/deployment/steps.js';
import { cancellationReached } from '../fixtures/workflows/cancellation.js';
import { deployInput } from '../fixtures/workflows/inputs.js';
import type { ActivityName } from '../fixtures/workflows/scripted-activities.js';
import {
  fatal,
  refused,
  ScriptedActivities,
  stillPresent,
  stillRunning,
  throwing,
} from '../fixtures/workflows/scripted-activities.js';
import { WorkflowTests } from '../fixtures/workflows/time-skipping.js';

let tests: WorkflowTests;
beforeAll(async () => {
  tests = await WorkflowTests.start();
});
afterAll(() => tests.stop());

/** Where it fails, beside what the other branch is doing then, and exactly what must be undone, in order. */
const FAILURES: { at: ActivityName; step: string; undone: Kind[] }[] = [
  { at: 'getWorkspace', step: 'workspace', undone: [] },
  { at: 'preflight', step: 'workspace', undone: [] },
  { at: 'registerModel', step: 'register', undone: ['registered-model', 'cluster'] },
  { at: 'beginConversion', step: 'convert', undone: ['registered-model', 'job', 'cluster'] },
  { at: 'awaitConversion', step: 'convert', undone: ['registered-model', 'job', 'cluster'] },
  { at: 'registerConvertedModel', step: 'convert', undone: ['registered-model', 'converted-model', 'job', 'cluster'] },
  { at: 'pushImage', step: 'image', undone: ['image', 'registered-model', 'converted-model', 'job', 'cluster'] },
  { at: 'beginCluster', step: 'cluster', undone: ['registered-model', 'job', 'cluster'] },
  { at: 'awaitCluster', step: 'cluster', undone: ['registered-model', 'job', 'cluster'] },
  { at: 'grantPull', step: 'cluster', undone: ['role-assignment', 'registered-model', 'job', 'cluster'] },
  ...(['beginRelease', 'awaitRelease'] as const).map((at) => ({ at, step: 'service', undone: everything() })),
  { at: 'smokeScore', step: 'smoke', undone: everything() },
  ...(['beginSwitch', 'awaitSwitch', 'scorePublic'] as const).map((at) => ({
    at,
    step: 'switch',
    undone: everything(),
  })),
];

const MODEL_BRANCH: ActivityName[] = [
  'registerModel',
  'beginConversion',
  'awaitConversion',
  'registerConvertedModel',
  'pushImage',
];
const CLUSTER_BRANCH: ActivityName[] = ['beginCluster', 'awaitCluster', 'grantPull'];

function everything(): Kind[] {
  return ['service', 'role-assignment', 'image', 'registered-model', 'converted-model', 'job', 'cluster'];
}

/** Keeps the other branch waiting, so that what it has begun does not depend on which branch is faster. */
function otherBranchWaits(at: ActivityName) {
  if (MODEL_BRANCH.includes(at)) return { awaitCluster: throwing(() => stillRunning('AKS cluster is Creating')) };
  if (CLUSTER_BRANCH.includes(at)) return { awaitConversion: throwing(() => stillRunning('Azure ML job is Queued')) };
  return {};
}

/** Fails only once the other branch has got to where it waits. */
function failsWhenOtherWaits(at: ActivityName, scripted: () => ScriptedActivities, failure: () => Error) {
  return async () => {
    if (MODEL_BRANCH.includes(at)) await scripted().called('awaitCluster');
    if (CLUSTER_BRANCH.includes(at)) await scripted().called('awaitConversion');
    throw failure();
  };
}

describe('a failure undoes exactly what was begun, by rank', () => {
  it.each(FAILURES)('$at fails for good', async ({ at, step, undone }) => {
    const scripted: ScriptedActivities = new ScriptedActivities({
      ...otherBranchWaits(at),
      [at]: failsWhenOtherWaits(at, () => scripted, refused),
    });
    const ended = await tests.run('deploy', deployInput(), scripted.implementations);

    expect(ended.status).toBe('FAILED');
    expect(ended.error).toMatchObject({
      cause: { type: 'DeploymentFailed', details: [{ code: 'AuthorizationFailed' }, {}] },
    });
    expect(scripted.undone).toEqual(undone);
    expect(ended.progress).toMatchObject({ state: 'failed', residue: [] });
    expect(ended.progress.steps.filter(({ state }) => state === 'failed').map(({ name }) => name)).toEqual([step]);
    expect(ended.progress.undo.map(({ kind, state }) => `${kind} ${state}`)).toEqual(
      undone.map((kind) => `${kind} removed`),
    );
  });
});

describe('a cancellation undoes exactly what was begun, by rank', () => {
  it.each(FAILURES)('while $at runs', async ({ at, undone }) => {
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const scripted: ScriptedActivities = new ScriptedActivities({
      ...otherBranchWaits(at),
      [at]: async () => {
        await held;
        throw stillRunning('interrupted');
      },
    });
    const other = MODEL_BRANCH.includes(at) ? 'awaitCluster' : CLUSTER_BRANCH.includes(at) ? 'awaitConversion' : at;
    const ended = await tests.run('deploy', deployInput(), scripted.implementations, async (handle) => {
      await Promise.all([scripted.called(at), scripted.called(other)]);
      await handle.cancel();
      release();
    });

    expect(ended.status).toBe('CANCELLED');
    expect(scripted.undone).toEqual(undone);
    expect(ended.progress).toMatchObject({ state: 'cancelled', residue: [] });
  });

  it('of a begin that still runs is awaited, and what it made is undone', async () => {
    let finish = () => {};
    const running = new Promise<void>((resolve) => (finish = resolve));
    const events: string[] = [];
    const scripted = new ScriptedActivities({
      awaitConversion: throwing(() => stillRunning('Azure ML job is Queued')),
      beginCluster: async () => {
        await running;
        events.push('created');
        return { clusterId: '/clusters/c' };
      },
      removeCluster: () => {
        events.push('removed');
        return { removed: ['/clusters/c'] };
      },
    });
    const ended = await tests.run('deploy', deployInput(), scripted.implementations, async (handle) => {
      await scripted.called('beginCluster');
      await scripted.called('awaitConversion');
      await handle.cancel();
      await cancellationReached('beginCluster', handle);
      finish();
    });
    expect(ended.status).toBe('CANCELLED');
    expect(events).toEqual(['created', 'removed']);
  });
});

describe('a begin whose outcome is unknown', () => {
  it('has its absence believed only after the last moment at which its request could commit', async () => {
    const scripted = new ScriptedActivities({ beginRelease: throwing(() => fatal('ConnectionReset')) });
    const before = Date.now();
    await tests.run('deploy', deployInput(), scripted.implementations);
    const absentAfter = Object.fromEntries(scripted.removals.map(({ kind, input }) => [kind, input.absentAfter]));
    expect(absentAfter['service']).toBeGreaterThan(before);
    expect(absentAfter['image']).toBe(0);
  });

  it('does not count as unknown when the service refused its only request', async () => {
    const scripted = new ScriptedActivities({ beginRelease: throwing(() => refused()) });
    await tests.run('deploy', deployInput(), scripted.implementations);
    expect(scripted.removals.map(({ input }) => input.absentAfter)).toEqual(everything().map(() => 0));
  });
});

describe('a failing undo', () => {
  it('is reported as residue and does not stop the rest', async () => {
    const scripted = new ScriptedActivities({
      smokeScore: throwing(() => refused('ModelDigestMismatch')),
      removeImage: throwing(() => fatal('AuthorizationFailed', { resource: 'slipway/u:t' })),
    });
    const ended = await tests.run('deploy', deployInput(), scripted.implementations);

    expect(scripted.undone).toEqual(everything());
    expect(ended.error).toMatchObject({
      cause: { type: 'DeploymentFailedWithResidue', details: [{ code: 'ModelDigestMismatch' }, {}] },
    });
    expect(ended.progress.residue).toEqual([
      { kind: 'image', ids: ['slipway/u:t'], reason: 'AuthorizationFailed: AuthorizationFailed happened' },
    ]);
  });

  it('of which no answer says what it is about is named as it would be looked for', async () => {
    const scripted = new ScriptedActivities({
      smokeScore: throwing(() => refused()),
      removeImage: throwing(() => fatal('AuthorizationFailed')),
      removeJob: throwing(() => fatal('AuthorizationFailed')),
    });
    const { identity } = deployInput();
    const ended = await tests.run('deploy', deployInput(), scripted.implementations);
    expect(ended.progress.residue).toMatchObject([
      { kind: 'image', ids: [`slipway/${identity.uid}`] },
      { kind: 'job', ids: [`${identity.uid}/${identity.deploymentId}`] },
    ]);
  });

  it('whose time is over names what is still there as residue', async () => {
    const scripted = new ScriptedActivities({
      smokeScore: throwing(() => refused()),
      removeCluster: throwing(() => stillPresent('AKS cluster c is being deleted', '/clusters/c')),
    });
    const ended = await tests.run('deploy', deployInput(), scripted.implementations);
    expect(ended.progress.residue).toMatchObject([{ kind: 'cluster', ids: ['/clusters/c'] }]);
    expect(ended.progress.residue[0]?.reason).toContain('AKS cluster c is being deleted');
  });

  it('cannot be interrupted by a cancellation', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const scripted = new ScriptedActivities({
      smokeScore: throwing(() => refused()),
      removeService: async () => {
        await held;
        return { removed: ['svc-44'] };
      },
    });
    const ended = await tests.run('deploy', deployInput(), scripted.implementations, async (handle) => {
      await scripted.called('removeService');
      await handle.cancel();
      release();
    });
    expect(scripted.undone).toEqual(everything());
    expect(ended.progress.undo.map(({ state }) => state)).toEqual(everything().map(() => 'removed'));
  });
});

it('never undoes an adopted cluster', async () => {
  const scripted = new ScriptedActivities({ smokeScore: throwing(() => refused()) });
  const cluster = { name: 'theirs', existing: true, vmSize: '', nodeCount: 1 };
  await tests.run('deploy', deployInput({ cluster }), scripted.implementations);
  expect(scripted.undone).toEqual(everything().filter((kind) => kind !== 'cluster'));
  expect(scripted.removals.map(({ input }) => input.clusterGoesToo)).toEqual(scripted.removals.map(() => false));
});

it('keeps everything, and says so, when the deployment asks for it', async () => {
  const scripted = new ScriptedActivities({ smokeScore: throwing(() => refused()) });
  const ended = await tests.run('deploy', deployInput({ onFailure: 'keep' }), scripted.implementations);
  expect(scripted.undone).toEqual([]);
  expect(ended.progress.undo.map(({ kind, state }) => `${kind} ${state}`)).toEqual(
    everything().map((kind) => `${kind} kept`),
  );
  expect(ended.error).toMatchObject({
    cause: { message: expect.stringContaining('Kept, not undone: service,') as string },
  });
});
