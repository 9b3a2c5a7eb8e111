import { afterAll, beforeAll, expect, it } from 'vitest';
import { cancellationSeen } from '../fixtures/workflows/cancellation.js';
import { deployInput } from '../fixtures/workflows/inputs.js';
import {
  operationFailed,
  refused,
  ScriptedActivities,
  stillRunning,
  throwing,
} from '../fixtures/workflows/scripted-activities.js';
import { WorkflowTests } from '../fixtures/workflows/time-skipping.js';

let tests: WorkflowTests;
beforeAll(async () => {
  tests = await WorkflowTests.start();
});
afterAll(() => tests.stop());

it('a wait is a retry: looks do not grow the deployment, and it goes on when the thing is ready', async () => {
  const scripted = new ScriptedActivities({
    awaitCluster: (_input, call) => {
      if (call < 5) throw stillRunning(`AKS cluster is Creating, look ${call}`);
      return { clusterId: '/clusters/c', detail: 'c is Succeeded' };
    },
  });
  const ended = await tests.run('deploy', deployInput(), scripted.implementations);
  expect(ended.status).toBe('COMPLETED');
  expect(scripted.calls.filter((name) => name === 'awaitCluster')).toHaveLength(5);
  expect(ended.progress).toMatchObject({ state: 'deployed', undo: [] });
  expect(ended.result).toMatchObject({ address: '10.0.0.1:8500', release: 'sha256:44', cluster: '/clusters/c' });
});

it('a budget that ends gives the last state as the reason, and undoes', async () => {
  const scripted = new ScriptedActivities({ awaitRelease: throwing(() => stillRunning('pod svc-44 is Pending')) });
  const ended = await tests.run('deploy', deployInput({ patienceMinutes: 1 }), scripted.implementations);
  expect(ended.status).toBe('FAILED');
  expect(ended.progress.failure).toMatchObject({ code: 'BudgetSpent' });
  expect(ended.progress.failure?.message).toContain('pod svc-44 is Pending');
  expect(scripted.undone[0]).toBe('service');
});

it.each(['smokeScore', 'beginCluster'] as const)(
  '%s, which has something to wait for, gives the last state when its time is over',
  async (name) => {
    const scripted = new ScriptedActivities({ [name]: throwing(() => stillRunning('not yet')) });
    const ended = await tests.run('deploy', deployInput({ patienceMinutes: 0 }), scripted.implementations);
    expect(ended.progress.failure).toMatchObject({ code: 'BudgetSpent' });
    expect(ended.progress.failure?.message).toContain('not yet');
  },
);

it('one last look after the budget may still find the thing ready', async () => {
  let looksUntilReady = Number.POSITIVE_INFINITY;
  const scripted = new ScriptedActivities({
    // The budget ends when the next look would fall after it; whatever look comes then is the last one.
    awaitRelease: (_input, call) => {
      if (call >= looksUntilReady) return undefined;
      if (call === 30) looksUntilReady = 0;
      throw stillRunning('pod svc-44 is Pending');
    },
  });
  const ended = await tests.run('deploy', deployInput({ patienceMinutes: 6 }), scripted.implementations);
  expect(ended.status).toBe('COMPLETED');
});

it.each([
  { failures: 2, status: 'COMPLETED' },
  { failures: 3, status: 'FAILED' },
])(
  'a job that failed for a transient reason $failures times is begun again, then ends $status',
  async ({ failures, status }) => {
    const attempts: number[] = [];
    const scripted = new ScriptedActivities({
      beginConversion: ({ attempt }: { attempt: number }) => {
        attempts.push(attempt);
        return { digest: 'sha256:22', jobName: `job-${attempt}` };
      },
      awaitConversion: (_input, call) => {
        if (call <= failures) throw operationFailed('the machine was preempted');
      },
    });
    const ended = await tests.run('deploy', deployInput(), scripted.implementations);
    expect(ended.status).toBe(status);
    expect(attempts).toEqual([1, 2, 3]);
    expect(ended.pauses).toEqual([30, 30]);
  },
);

it('a conversion whose result is there is not awaited', async () => {
  const scripted = new ScriptedActivities({ beginConversion: () => ({ digest: 'sha256:22', jobName: null }) });
  const ended = await tests.run('deploy', deployInput(), scripted.implementations);
  expect(ended.status).toBe('COMPLETED');
  expect(scripted.calls).not.toContain('awaitConversion');
});

it('an older release that cannot be retired is residue of a deployment that succeeded', async () => {
  const scripted = new ScriptedActivities({ retireReleases: throwing(() => refused()) });
  const ended = await tests.run('deploy', deployInput(), scripted.implementations);
  expect(ended.status).toBe('COMPLETED');
  expect(ended.progress.residue).toMatchObject([{ kind: 'service', ids: ['svc'] }]);
  expect(ended.result).toMatchObject({ residue: ended.progress.residue });
});

it('a cancellation that comes while an older release drains is too late: the new one stays', async () => {
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  const scripted = new ScriptedActivities({
    retireReleases: async () => {
      await held;
      return { retired: ['svc-33'] };
    },
  });
  const ended = await tests.run('deploy', deployInput(), scripted.implementations, async (handle) => {
    await scripted.called('retireReleases');
    await handle.cancel();
    await cancellationSeen(handle);
    release();
  });
  expect(ended.status).toBe('COMPLETED');
  expect(ended.progress).toMatchObject({ state: 'deployed', undo: [], residue: [] });
});
