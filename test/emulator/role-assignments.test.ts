import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hasRole } from '../../src/emulator/authorization/role-assignments.js';
import { createEmulator, type RunningEmulator } from '../../src/emulator/core/emulator.js';
import { armClients, startEmulator, type TestEmulator } from '../fixtures/emulator.js';

let azure: TestEmulator;
let registry: string;
let acrPull: string;

beforeAll(async () => {
  // At Azure's own pace, so that nothing propagates before it is looked at.
  azure = await startEmulator({ timeScale: 1 });
  const { subscriptionId, resourceGroup } = azure.endpoints;
  registry = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.ContainerRegistry/registries/slipwaylocal`;
  acrPull = `/subscriptions/${subscriptionId}/providers/Microsoft.Authorization/roleDefinitions/7f951dda-4ed3-4680-a7ca-43fe172d538d`;
});
afterAll(() => azure.stop());

const assignment = (principalId: string) => ({
  roleDefinitionId: acrPull,
  principalId,
  principalType: 'ServicePrincipal',
  description: 'owner/of-it',
});

it('creates once, changes nothing on repetition, and is gone after a delete', async () => {
  const { roleAssignments } = armClients(azure).authorization;
  const [name, principal] = [randomUUID(), randomUUID()];
  const created = await roleAssignments.create(registry, name, assignment(principal));
  expect(created).toMatchObject({ name, principalId: principal, scope: registry, description: 'owner/of-it' });
  await roleAssignments.create(registry, name, assignment(principal));
  expect(await roleAssignments.get(registry, name)).toMatchObject({ principalId: principal });
  expect(await azure.inventory('owner/of-it')).toMatchObject([{ kind: 'role-assignment', name }]);

  await roleAssignments.delete(registry, name);
  await roleAssignments.delete(registry, name);
  await expect(roleAssignments.get(registry, name)).rejects.toMatchObject({ code: 'RoleAssignmentNotFound' });
  const effects = (await azure.journal())
    .filter(({ effect }) => effect?.id.endsWith(name))
    .map(({ effect }) => effect?.change);
  expect(effects).toEqual(['created', 'unchanged', 'deleted']);
});

it('refuses the same principal, role and scope under another name', async () => {
  const { roleAssignments } = armClients(azure).authorization;
  const principal = randomUUID();
  await roleAssignments.create(registry, randomUUID(), assignment(principal));
  await expect(roleAssignments.create(registry, randomUUID(), assignment(principal))).rejects.toMatchObject({
    statusCode: 409,
    code: 'RoleAssignmentExists',
  });
});

it('lists by principal', async () => {
  const { roleAssignments } = armClients(azure).authorization;
  const [name, principal] = [randomUUID(), randomUUID()];
  await roleAssignments.create(registry, name, assignment(principal));
  const found = [];
  for await (const each of roleAssignments.listForScope(registry, { filter: `principalId eq '${principal}'` }))
    found.push(each);
  expect(found).toMatchObject([{ name }]);
});

it('knows the built-in roles by name', async () => {
  const { roleDefinitions } = armClients(azure).authorization;
  const found = [];
  for await (const each of roleDefinitions.list(registry, { filter: "roleName eq 'AcrPull'" })) found.push(each);
  expect(found).toMatchObject([{ id: acrPull, roleName: 'AcrPull', roleType: 'BuiltInRole' }]);
});

it('takes effect when it has propagated', async () => {
  const { roleAssignments } = armClients(azure).authorization;
  const principalId = randomUUID();
  const asked = { principalId, role: 'AcrPull', scope: `${registry}/repositories/any` } as const;
  await roleAssignments.create(registry, randomUUID(), assignment(principalId));
  const seen: boolean[] = [];
  await withState(async (emulator) => {
    seen.push(hasRole(emulator, asked));
    emulator.clock.advance(120_000);
    seen.push(hasRole(emulator, asked));
  });
  expect(seen).toEqual([false, true]);
});

/** A second emulator on the state of a halted first one: nothing else sees whether a role is in effect. */
async function withState(use: (emulator: RunningEmulator) => Promise<void>): Promise<void> {
  await azure.halt();
  const emulator = await createEmulator({ state: azure.state, cache: `${azure.state}/cache`, timeScale: 1 });
  await use(emulator);
  await emulator.close();
  await azure.restart();
}
