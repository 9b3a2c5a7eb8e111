import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Permission } from '../../src/cli/local/emulator-admin.js';
import { armClients, startEmulator, type TestEmulator } from '../fixtures/emulator.js';

let emulator: TestEmulator;
let group: string;
beforeAll(async () => {
  emulator = await startEmulator();
  group = `/subscriptions/${emulator.endpoints.subscriptionId}/resourceGroups/${emulator.endpoints.resourceGroup}`;
});
afterEach(() => emulator.resetPermissions());
afterAll(() => emulator?.stop());

const set = (...permissions: Permission[]) => emulator.setPermissions(permissions);

async function listed(): Promise<unknown[]> {
  const permissions = [];
  const { authorization } = armClients(emulator);
  for await (const each of authorization.permissions.listForResourceGroup(emulator.endpoints.resourceGroup)) {
    permissions.push(each);
  }
  return permissions;
}

it('are those of an owner, and of the blobs, unless others are set', async () => {
  expect(await listed()).toMatchObject([{ actions: ['*'] }, { dataActions: [expect.stringMatching(/blobs\/\*$/)] }]);
  await set({ actions: ['*/read'], notActions: ['*/secrets/read'] });
  expect(await listed()).toMatchObject([{ actions: ['*/read'], notActions: ['*/secrets/read'] }]);
});

const CLUSTER = 'providers/Microsoft.ContainerService/managedClusters/c';
const WORKSPACE = 'providers/Microsoft.MachineLearningServices/workspaces/slipway';

it.each([
  ['GET', WORKSPACE, 'Microsoft.MachineLearningServices/workspaces/read'],
  ['GET', `${WORKSPACE}/models/m/versions`, 'Microsoft.MachineLearningServices/workspaces/models/versions/read'],
  ['POST', `${WORKSPACE}/jobs/j/cancel`, 'Microsoft.MachineLearningServices/workspaces/jobs/cancel/action'],
  ['PUT', CLUSTER, 'Microsoft.ContainerService/managedClusters/write'],
  ['DELETE', CLUSTER, 'Microsoft.ContainerService/managedClusters/delete'],
  [
    'PUT',
    `${CLUSTER}/providers/Microsoft.Authorization/roleAssignments/${'0'.repeat(32)}`,
    'Microsoft.Authorization/roleAssignments/write',
  ],
])('without which %s %s is refused: %s', async (method, path, action) => {
  await set({ actions: ['*'], notActions: [action.toUpperCase()] });
  const sent = method === 'GET' || method === 'DELETE' ? {} : { body: {} };
  const { status, body } = await emulator.call(method, `${group}/${path}?api-version=2025-01-01`, sent);
  const { code, message } = (body as { error: { code: string; message: string } }).error;
  expect({ status, code }).toEqual({ status: 403, code: 'AuthorizationFailed' });
  const scope = `${group}/${path}`.replace(/\/cancel$/, '');
  expect(message).toContain(`perform action '${action}' over scope '${scope}'`);
});

it('add up over roles: what one takes out another may give', async () => {
  await set(
    { actions: ['*'], notActions: ['Microsoft.MachineLearningServices/*'] },
    { actions: ['*/workspaces/read'] },
  );
  expect(await emulator.call('GET', `${group}/${WORKSPACE}?api-version=2022-10-01`)).toMatchObject({ status: 200 });
  expect(await emulator.call('GET', `${group}/${WORKSPACE}/jobs?api-version=2022-10-01`)).toMatchObject({
    status: 403,
  });
});

it('of nobody else are asked for: looking in needs none', async () => {
  await set({ actions: [] });
  expect(await emulator.inventory()).not.toEqual([]);
});
