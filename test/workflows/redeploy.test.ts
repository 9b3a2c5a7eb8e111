import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeploymentActivities } from '../../src/deployment/activities.js';
import { serviceWorkflowId } from '../../src/deployment/names.js';
import { cancellationReached } from '../fixtures/workflows/cancellation.js';
import { deployInput } from '../fixtures/workflows/inputs.js';
import {
  fatal,
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

type RegisterInput = Parameters<DeploymentActivities['registerModel']>[0];

const LIVE = { address: '10.0.0.1:8500', scores: [] };
/** Settings that a deployment after the creation of the schedule changed. */
const newer = deployInput({ keepReleases: 5, onFailure: 'keep' });

describe('a redeploy', () => {
  it('deploys what is live with the latest version of its source model', async () => {
    const registered: RegisterInput[] = [];
    const scripted = new ScriptedActivities({
      findLastDeployment: () => ({ state: 'live', input: newer }),
      registerModel: (input: RegisterInput) => {
        registered.push(input);
        return { name: 'm', version: '7' };
      },
      smokeScore: throwing(() => refused()),
    });
    await tests.redeploy(deployInput(), scripted.implementations);
    expect(registered).toMatchObject([{ model: { source: { kind: 'registered', name: 'm', version: '7' } } }]);
    // Whatever the deployment file says: nobody is there to look at what would be kept.
    expect(scripted.undone).toContain('registered-model');
  });

  it.each([
    { checkLive: () => LIVE, outcome: 'unchanged' },
    { checkLive: () => null, outcome: 'deployed' },
  ])('ends as $outcome', async ({ checkLive, outcome }) => {
    const scripted = new ScriptedActivities({ checkLive });
    const ended = await tests.redeploy(deployInput(), scripted.implementations);
    expect(ended.result).toEqual({
      service: 'svc',
      outcome,
      source: 'm:7',
      release: 'sha256:44',
      deploymentId: expect.stringMatching(/^d[a-z2-7]{11}$/) as string,
    });
    expect(ended.child).toMatchObject({ status: 'COMPLETED', memo: { service: 'svc' } });
    expect(ended.child?.memo).toMatchObject({ deploymentId: (ended.result as { deploymentId: string }).deploymentId });
  });

  it('fails with the reason, once the deployment is undone, and says that the old release serves on', async () => {
    const scripted = new ScriptedActivities({ smokeScore: throwing(() => refused('ExpectedClassMissing')) });
    const ended = await tests.redeploy(deployInput(), scripted.implementations);
    expect(ended.status).toBe('FAILED');
    expect(ended.error).toMatchObject({
      cause: {
        type: 'RedeployFailed',
        message: 'failed, old release kept: ExpectedClassMissing: ExpectedClassMissing happened',
        details: [{ code: 'ExpectedClassMissing' }],
      },
    });
    expect(scripted.undone[0]).toBe('service');
  });

  it.each([
    {
      removal: 'removeImage',
      says: 'failed, old release kept: ScoringRefused: ScoringRefused happened Not undone: image ',
    },
    { removal: 'removeService', says: 'failed, the service is not as it was: ScoringRefused: ScoringRefused happened' },
  ] as const)('says what is left when $removal fails', async ({ removal, says }) => {
    const scripted = new ScriptedActivities({
      scorePublic: throwing(() => refused('ScoringRefused')),
      [removal]: throwing(() => fatal('AuthorizationFailed')),
    });
    const ended = await tests.redeploy(deployInput(), scripted.implementations);
    expect(ended.error).toMatchObject({ cause: { message: expect.stringContaining(says) as string } });
  });

  it('is skipped when a change of the service is running', async () => {
    let finish = () => {};
    const held = new Promise<void>((resolve) => (finish = resolve));
    const busy = new ScriptedActivities({ getWorkspace: () => held.then(() => ({})) });
    const running = deployInput();
    const during = async () => {
      await busy.called('getWorkspace');
      const scripted = new ScriptedActivities();
      const ended = await tests.redeploy(deployInput(), scripted.implementations);
      expect(ended.result).toEqual({ service: 'svc', outcome: 'skipped', reason: 'a change is running' });
      expect(scripted.calls).not.toContain('getWorkspace');
      finish();
    };
    await tests.run('deploy', running, busy.implementations, during, serviceWorkflowId(running.identity));
  });

  it.each([
    { what: 'was deleted', found: true, last: { state: 'deleted' } },
    { what: 'is not there, and no deployment of it is remembered', found: false, last: { state: 'unknown' } },
  ])('is skipped when the service $what', async ({ found, last }) => {
    const scripted = new ScriptedActivities({ findLastDeployment: () => last, findService: () => ({ found }) });
    const ended = await tests.redeploy(deployInput(), scripted.implementations);
    expect(ended.result).toEqual({ service: 'svc', outcome: 'skipped', reason: 'svc is not live' });
    expect(scripted.calls).not.toContain('registerModel');
  });

  it('deploys what was scheduled when Temporal has forgotten the deployments of a service that is there', async () => {
    const scripted = new ScriptedActivities({ findLastDeployment: () => ({ state: 'unknown' }) });
    const ended = await tests.redeploy(deployInput(), scripted.implementations);
    expect(ended.result).toMatchObject({ outcome: 'deployed', source: 'm:7' });
  });

  it('that is cancelled cancels its deployment, and ends when that is undone', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const scripted = new ScriptedActivities({
      smokeScore: async () => {
        await held;
        throw stillRunning('interrupted');
      },
    });
    const ended = await tests.redeploy(deployInput(), scripted.implementations, async (handle) => {
      await scripted.called('smokeScore');
      await handle.cancel();
      await cancellationReached('smokeScore', tests.change(deployInput().identity));
      release();
    });
    expect(ended.status).toBe('CANCELLED');
    expect(ended.child?.status).toBe('CANCELLED');
    expect(scripted.undone).toContain('cluster');
  });
});
