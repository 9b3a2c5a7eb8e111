import { afterAll, beforeAll, expect, it } from 'vitest';
import { deployInput } from '../fixtures/workflows/inputs.js';
import { fatal, ScriptedActivities, throwing } from '../fixtures/workflows/scripted-activities.js';
import { WorkflowTests } from '../fixtures/workflows/time-skipping.js';

let tests: WorkflowTests;
beforeAll(async () => {
  tests = await WorkflowTests.start();
});
afterAll(() => tests.stop());

const { identity } = deployInput();
const teardown = (withCluster: boolean) => ({ identity, withCluster, searchAttributes: false });
const ORDER = ['service', 'image', 'registered-model', 'converted-model', 'job', 'role-assignment'];

it.each([
  { withCluster: false, heldBy: undefined, removed: ORDER },
  { withCluster: true, heldBy: undefined, removed: [...ORDER, 'cluster'] },
  { withCluster: true, heldBy: 'another service runs on it', removed: ORDER },
])('removes in order (with cluster: $withCluster, held by: $heldBy)', async ({ withCluster, heldBy, removed }) => {
  const scripted = new ScriptedActivities({
    findService: () => ({ found: true, cluster: { name: 'c', existing: false }, clusterHeldBy: heldBy }),
  });
  const ended = await tests.run('teardown', teardown(withCluster), scripted.implementations);
  expect(ended.status).toBe('COMPLETED');
  expect(scripted.undone).toEqual(removed);
  expect(scripted.removals.every(({ input }) => input.scope === 'service')).toBe(true);
});

it('fails with what is left when something cannot be removed, after removing the rest', async () => {
  const scripted = new ScriptedActivities({ removeImage: throwing(() => fatal('AuthorizationFailed')) });
  const ended = await tests.run('teardown', teardown(false), scripted.implementations);
  expect(ended.status).toBe('FAILED');
  expect(ended.error).toMatchObject({ cause: { type: 'DeploymentFailedWithResidue' } });
  expect(scripted.undone).toEqual(ORDER);
});
