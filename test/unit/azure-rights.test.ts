import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { missingRights, notAuthorized } from '../../src/activities/preflight/rights.js';
import { allows, allowsData, type Permission } from '../../src/azure/permissions.js';
import { RIGHTS } from '../../src/azure/rights.js';

const role = (permission: Partial<Permission>): Permission => ({
  actions: [],
  notActions: [],
  dataActions: [],
  notDataActions: [],
  ...permission,
});

const WRITE = 'Microsoft.ContainerService/managedClusters/write';
const GRANT = 'Microsoft.Authorization/roleAssignments/write';
/** As Azure defines them. */
const OWNER = role({ actions: ['*'] });
const CONTRIBUTOR = role({
  actions: ['*'],
  notActions: ['Microsoft.Authorization/*/Delete', 'Microsoft.Authorization/*/Write'],
});
const READER = role({ actions: ['*/read'] });
const DATA_SCIENTIST = role({
  actions: [
    'Microsoft.MachineLearningServices/workspaces/*/read',
    'Microsoft.MachineLearningServices/workspaces/*/action',
    'Microsoft.MachineLearningServices/workspaces/*/delete',
    'Microsoft.MachineLearningServices/workspaces/*/write',
  ],
  notActions: [
    'Microsoft.MachineLearningServices/workspaces/delete',
    'Microsoft.MachineLearningServices/workspaces/write',
    'Microsoft.MachineLearningServices/workspaces/computes/*/write',
  ],
});
const BLOB_DATA = role({ dataActions: ['Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read'] });

describe('a role allows', () => {
  it.each<[string, Permission[], string, boolean]>([
    ['everything by a star', [OWNER], WRITE, true],
    ['nothing without an action', [role({})], WRITE, false],
    ['nothing to who has no role', [], WRITE, false],
    ['an action by its name', [role({ actions: [WRITE] })], WRITE, true],
    ['it in any case', [role({ actions: [WRITE.toUpperCase()] })], WRITE, true],
    ['not what only begins so', [role({ actions: ['Microsoft.ContainerService/managedClusters'] })], WRITE, false],
    ['not what only ends so', [role({ actions: ['managedClusters/write'] })], WRITE, false],
    ['by a star in the middle, over several parts', [role({ actions: ['Microsoft.*/write'] })], WRITE, true],
    ['by a star at the end', [role({ actions: ['Microsoft.ContainerService/*'] })], WRITE, true],
    ['not by a star of another provider', [role({ actions: ['Microsoft.ContainerRegistry/*'] })], WRITE, false],
    ['no dot for any character', [role({ actions: [WRITE.replace('.', 'x')] })], WRITE, false],
    ['reading without writing', [READER], WRITE, false],
    ['no grant to a contributor', [CONTRIBUTOR], GRANT, false],
    ['what another role takes out', [CONTRIBUTOR, role({ actions: [GRANT] })], GRANT, true],
    ['what another role takes out, in any order', [role({ actions: [GRANT] }), CONTRIBUTOR], GRANT, true],
    [
      'what is below, though it takes out the top',
      [DATA_SCIENTIST],
      'Microsoft.MachineLearningServices/workspaces/jobs/write',
      true,
    ],
    ['not what it takes out', [DATA_SCIENTIST], 'Microsoft.MachineLearningServices/workspaces/write', false],
  ])('%s', (_case, permissions, action, expected) => {
    expect(allows(permissions, action)).toBe(expected);
  });

  it('data by data actions alone, and not the other way round', () => {
    const action = BLOB_DATA.dataActions[0] ?? '';
    expect(allowsData([BLOB_DATA], action)).toBe(true);
    expect(allowsData([OWNER], action)).toBe(false);
    expect(allows([BLOB_DATA], action)).toBe(false);
    expect(allowsData([{ ...BLOB_DATA, notDataActions: ['*/blobs/*'] }], action)).toBe(false);
  });
});

describe('the rights that are missing', () => {
  const registry = '/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/r';

  it('are those of the scopes that were read, with the role that has them', () => {
    const missing = missingRights({ registry: { scope: registry, permissions: [CONTRIBUTOR] } }, () => true);
    expect(missing).toEqual([
      expect.objectContaining({ role: 'Container Registry Repository Contributor' }),
      {
        scope: registry,
        role: 'Role Based Access Control Administrator',
        actions: [GRANT, 'Microsoft.Authorization/roleAssignments/delete'],
      },
    ]);
  });

  it('are none of those that are not needed', () => {
    const granted = { registry: { scope: registry, permissions: [] } };
    expect(missingRights(granted, () => false)).toEqual([]);
  });

  it('are told with action, scope, caller and role', () => {
    const { code, message, fix } = notAuthorized("'deployer'", [
      { scope: registry, role: 'Owner', actions: [GRANT, WRITE] },
    ]);
    expect(code).toBe('AuthorizationFailed');
    expect(message).toContain(`client 'deployer' does not have authorization to perform '${GRANT}', '${WRITE}'`);
    expect(message).toContain(`over scope '${registry}'`);
    expect(fix).toContain(`Owner on ${registry}`);
    expect(notAuthorized(undefined, []).message).toContain('client that signs in');
  });
});

describe('docs/azure.md', () => {
  const page = readFileSync(path.resolve(import.meta.dirname, '../../docs/azure.md'), 'utf8');
  const rows = page.split('\n').filter((line) => line.startsWith('| `') && line.includes('`Microsoft.'));

  it('lists the actions of every right that is checked, and no other', () => {
    const wanted = RIGHTS.map(({ role, on, when = 'always', actions, dataActions = [] }) => {
      const each = [...actions, ...dataActions].map((action) => `\`${action}\``);
      return `| \`${role}\` | ${on} | ${when} | ${each.join(', ')} |`;
    });
    expect(rows).toEqual(wanted);
  });

  it.each([...new Set(RIGHTS.map(({ role }) => role))])('says what the role %s is for', (role) => {
    const [smaller = ''] = page.split('| role | on | when | actions |');
    expect(smaller).toContain(`\`${role}\``);
  });
});
