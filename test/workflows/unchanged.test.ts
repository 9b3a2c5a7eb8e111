import { afterAll, beforeAll, expect, it } from 'vitest';
import { cancellationReached } from '../fixtures/workflows/cancellation.js';
import { deployInput } from '../fixtures/workflows/inputs.js';
import { fatal, ScriptedActivities, stillRunning, throwing } from '../fixtures/workflows/scripted-activities.js';
import { WorkflowTests } from '../fixtures/workflows/time-skipping.js';

let tests: WorkflowTests;
beforeAll(async () => {
  tests = await WorkflowTests.start();
});
afterAll(() => tests.stop());

const LIVE = { address: '10.0.0.1:8500', scores: [{ image: 'cat.jpg', top5: [] }] };
/** What makes a release, scores it and makes it public; and what removes the ones before. */
const RELEASING = [
  'beginRelease',
  'awaitRelease',
  'smokeScore',
  'beginSwitch',
  'awaitSwitch',
  'scorePublic',
  'retireReleases',
];

it('ends as unchanged, its last steps skipped, when the release is live and answers', async () => {
  const scripted = new ScriptedActivities({ checkLive: () => LIVE });
  const ended = await tests.run('deploy', deployInput(), scripted.implementations);
  expect(ended.result).toMatchObject({ outcome: 'unchanged', release: 'sha256:44', cluster: '/clusters/c', ...LIVE });
  expect(ended.progress).toMatchObject({ state: 'unchanged', undo: [], residue: [] });
  expect(ended.progress.steps.map(({ name, state }) => `${name} ${state}`)).toEqual([
    'workspace done',
    'register done',
    'convert done',
    'image done',
    'cluster done',
    'service skipped',
    'smoke skipped',
    'switch skipped',
  ]);
  expect(ended.progress.steps.slice(-3).map(({ detail }) => detail)).toEqual([
    'release t is live',
    '1 photos agree with the SavedModel, through the public address',
    '10.0.0.1:8500',
  ]);
  expect(scripted.calls.filter((name) => RELEASING.includes(name))).toEqual([]);
  expect(scripted.undone).toEqual([]);
});

it.each([
  { what: 'the release is not live, or not whole', checkLive: () => null },
  { what: 'the live release answers wrongly', checkLive: throwing(() => fatal('DisagreesWithSavedModel')) },
  { what: 'the address does not answer', checkLive: throwing(() => stillRunning('connection refused')) },
])('takes every step when $what', async ({ checkLive }) => {
  const scripted = new ScriptedActivities({ checkLive });
  const ended = await tests.run('deploy', deployInput(), scripted.implementations);
  expect(ended.result).toMatchObject({ outcome: 'deployed' });
  expect(ended.progress).toMatchObject({ state: 'deployed' });
  expect(ended.progress.steps.filter(({ state }) => state !== 'done')).toEqual([]);
  expect(scripted.calls.filter((name) => RELEASING.includes(name))).toEqual(RELEASING);
});

it('does not take a cancellation for an answer', async () => {
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  const scripted = new ScriptedActivities({
    checkLive: async () => {
      await held;
      throw stillRunning('interrupted');
    },
  });
  const ended = await tests.run('deploy', deployInput(), scripted.implementations, async (handle) => {
    await scripted.called('checkLive');
    await handle.cancel();
    await cancellationReached('checkLive', handle);
    release();
  });
  expect(ended.status).toBe('CANCELLED');
  expect(ended.progress.steps.find(({ name }) => name === 'service')).toMatchObject({ state: 'cancelled' });
  expect(scripted.calls).not.toContain('beginRelease');
  expect(scripted.undone).not.toContain('service');
});
