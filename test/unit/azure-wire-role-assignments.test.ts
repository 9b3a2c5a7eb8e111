import { beforeEach, describe, expect, it } from 'vitest';
import { classify } from '../../src/azure/failures.js';
import { assignmentName, findPullGrants, grantPull, revokePull } from '../../src/azure/role-assignments.js';
import {
  EARLIER_MARK,
  FOREIGN_MARK,
  identity,
  MARK,
  recordedAzure,
  signal,
  thrownBy,
} from '../fixtures/azure-wire/place.js';
import { arm, armError, GROUP, SUBSCRIPTION } from '../fixtures/azure-wire/recordings/arm.js';
import * as recorded from '../fixtures/azure-wire/recordings/authorization.js';
import * as errors from '../fixtures/azure-wire/recordings/errors.js';
import { REGISTRY, registryRead } from '../fixtures/azure-wire/recordings/registry.js';

const azure = recordedAzure();
const PRINCIPAL = '7d1c0f0e-2222-4000-8000-00000000000f';
const NAME = assignmentName(REGISTRY, PRINCIPAL, identity.uid);
const ASSIGNMENTS = `${REGISTRY}/providers/Microsoft.Authorization/roleAssignments`;
const ASSIGNMENT = `${ASSIGNMENTS}/${NAME}`;
const ours = { scope: REGISTRY, principalId: PRINCIPAL };
const list = (...value: object[]) => arm(200, { value });

describe('letting a cluster pull', () => {
  beforeEach(() => azure.wire.on(`GET ${REGISTRY}`, registryRead()));
  const grant = () => grantPull(azure.azure, identity, REGISTRY, PRINCIPAL, signal());
  const mutations = () => azure.wire.requests.filter((request) => !request.startsWith('GET'));

  it('is one PUT, with the kind of principal and our mark', async () => {
    azure.wire.on(`GET ${ASSIGNMENTS}`, list());
    azure.wire.on(`PUT ${ASSIGNMENT}`, recorded.assignmentCreated(NAME, ours));
    await grant();
    expect(mutations()).toEqual([`PUT ${ASSIGNMENT}`]);
    expect(azure.wire.asked[1]?.query.get('$filter')).toBe(`principalId eq '${PRINCIPAL}'`);
    expect(JSON.parse(azure.wire.asked[2]?.body ?? '')).toEqual({
      properties: {
        roleDefinitionId: `/subscriptions/${SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/${recorded.ACR_PULL}`,
        principalId: PRINCIPAL,
        principalType: 'ServicePrincipal',
        description: MARK,
      },
    });
  });

  it.each([
    ['at the registry', REGISTRY],
    ['at the registry, in other case', REGISTRY.toLowerCase()],
    ['at the resource group', `/subscriptions/${SUBSCRIPTION}/resourceGroups/${GROUP}`],
    ['at the subscription', `/subscriptions/${SUBSCRIPTION}`],
    ['at the root', '/'],
  ])('needs nothing where the right is there %s', async (_case, scope) => {
    azure.wire.on(`GET ${ASSIGNMENTS}`, list(recorded.assignmentBody('x', { ...ours, scope })));
    await grant();
    expect(mutations()).toEqual([]);
  });

  it.each([
    ['below the registry', { scope: `${REGISTRY}/repositories/r` }],
    ['of another registry whose name begins alike', { scope: REGISTRY.slice(0, -1) }],
    ['of another role', { role: '8311e382-0749-4cb8-b61a-304f252e45ec' }],
    ['of another identity', { principalId: MARK }],
    ['under a condition', { condition: "@Resource[x] StringEquals 'y'" }],
  ])('is not satisfied with a right %s', async (_case, other) => {
    azure.wire.on(`GET ${ASSIGNMENTS}`, list(recorded.assignmentBody('x', { ...ours, ...other })));
    azure.wire.on(`PUT ${ASSIGNMENT}`, recorded.assignmentCreated(NAME, ours));
    await grant();
    expect(mutations()).toEqual([`PUT ${ASSIGNMENT}`]);
  });

  it('is content with one that exists under another name (409)', async () => {
    azure.wire.on(`GET ${ASSIGNMENTS}`, list());
    azure.wire.on(`PUT ${ASSIGNMENT}`, recorded.assignmentExists);
    await grant();
    expect(mutations()).toHaveLength(1);
  });

  it.each([
    ['an identity that is not seen everywhere yet', recorded.principalNotFound, 'PrincipalNotFound', 'retry'],
    ['a permission that is missing', errors.authorizationFailed, 'AuthorizationFailed', 'retrySlowly'],
    ['an unregistered provider', errors.missingRegistration, 'MissingSubscriptionRegistration', 'retrySlowly'],
    ['another conflict', armError(409, 'Conflict', 'try again'), 'Conflict', 'retry'],
  ])('says why it was refused: %s', async (_case, answer, code, kind) => {
    azure.wire.on(`GET ${ASSIGNMENTS}`, list());
    azure.wire.on(`PUT ${ASSIGNMENT}`, answer);
    expect(classify(await thrownBy(grant()))).toMatchObject({ code, class: kind });
  });
});

it('chooses the role that a registry in ABAC mode honours', async () => {
  azure.wire.on(`GET ${REGISTRY}`, registryRead({ roleAssignmentMode: 'AbacRepositoryPermissions' }));
  azure.wire.on(`GET ${ASSIGNMENTS}`, list(recorded.assignmentBody('x', ours)));
  azure.wire.on(`PUT ${ASSIGNMENT}`, recorded.assignmentCreated(NAME, ours));
  await grantPull(azure.azure, identity, REGISTRY, PRINCIPAL, signal());
  expect(azure.wire.asked.at(-1)?.body).toContain('/roleDefinitions/b93aa761-3e63-49ed-ac28-beffa264f7ac');
});

describe('taking the right to pull away', () => {
  it('finds what this service granted, and nothing else', async () => {
    const other = '7d1c0f0e-2222-4000-8000-0000000000ff';
    azure.wire.on(
      `GET ${ASSIGNMENTS}`,
      list(
        recorded.assignmentBody(NAME, { ...ours, description: EARLIER_MARK }),
        recorded.assignmentBody('marked-by-hand', { ...ours, description: MARK }),
        recorded.assignmentBody(assignmentName(REGISTRY, other, identity.uid), {
          ...ours,
          principalId: other,
          description: FOREIGN_MARK,
        }),
        recorded.assignmentBody('without-description', ours),
      ),
    );
    const grants = await findPullGrants(azure.azure, identity, REGISTRY, signal());
    expect(grants).toEqual([{ id: ASSIGNMENT, name: NAME, owner: EARLIER_MARK }]);
  });

  it.each([
    ['200', arm(200, recorded.assignmentBody(NAME, ours))],
    ['204', arm(204, '')],
    ['404', armError(404, 'RoleAssignmentNotFound', 'The role assignment is not found.')],
  ])('is done after %s', async (_case, answer) => {
    azure.wire.on(`DELETE ${ASSIGNMENT}`, answer);
    await revokePull(azure.azure, identity, REGISTRY, { id: ASSIGNMENT, name: NAME, owner: MARK }, signal());
    expect(azure.wire.requests).toEqual([`DELETE ${ASSIGNMENT}`]);
  });
});
