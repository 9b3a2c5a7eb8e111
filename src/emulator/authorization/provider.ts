import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { parseBody } from '../arm/body.js';
import { ArmError, badRequest, conflict } from '../arm/errors.js';
import { resourceKey } from '../arm/resource-id.js';
import { roleAssignmentPropagationSeconds } from '../core/durations.js';
import type { Emulator } from '../core/emulator.js';
import { effect } from '../core/journal.js';
import { applicationKey, permissionSchema, permissionsOf, setPermissions } from './permissions.js';
import { roleAssignments, type RoleAssignment } from './role-assignments.js';
import { roleDefinitionGuids } from './role-definitions.js';

interface WildcardRoute {
  Params: { '*': string };
  Querystring: { $filter?: string };
}

const bodySchema = z.object({
  properties: z.object({
    roleDefinitionId: z.string(),
    principalId: z.guid(),
    principalType: z.string().default('User'),
    description: z.string().optional(),
  }),
});

/** `SCOPE/providers/Microsoft.Authorization/TYPE[/NAME]`, where the scope is any id and may have providers of its own. */
const extension =
  /^(.*)\/providers\/Microsoft\.Authorization\/(roleAssignments|roleDefinitions|permissions)(?:\/([^/]+))?$/i;

interface ExtensionCall {
  scope: string;
  type: 'roleassignments' | 'roledefinitions' | 'permissions';
  name: string | undefined;
}

/**
 * Role assignments, built-in role definitions and the caller's permissions, which hang below any scope. The routes are a wildcard, tried after every provider's
 * own: the router prefers what is more exact.
 */
export function registerAuthorization(app: FastifyInstance, emulator: Emulator): void {
  emulator.inventory.source(() =>
    roleAssignments(emulator)
      .list()
      .map(({ id, name, description }) => ({
        kind: 'role-assignment',
        id,
        name,
        ...(description && { owner: description }),
      })),
  );

  const route = '/subscriptions/*';
  app.get<WildcardRoute>(route, async (request, reply) => {
    const call = extensionCall(request);
    if (call === undefined) return reply.callNotFound();
    if (call.type === 'permissions') return { value: permissionsOf(emulator) };
    if (call.type === 'roledefinitions') return roleDefinition(call, request.query.$filter);
    if (call.name === undefined)
      return { value: listAssignments(emulator, call.scope, request.query.$filter).map(toBody) };
    return toBody(findAssignment(emulator, call));
  });

  app.put<WildcardRoute>(route, async (request, reply) => {
    const call = extensionCall(request);
    if (call?.type !== 'roleassignments' || call.name === undefined) return reply.callNotFound();
    return reply.code(201).send(toBody(createAssignment(emulator, request, call.scope, call.name)));
  });

  app.delete<WildcardRoute>(route, async (request, reply) => {
    const call = extensionCall(request);
    if (call?.type !== 'roleassignments' || call.name === undefined) return reply.callNotFound();
    const id = assignmentId(call.scope, call.name);
    const existing = roleAssignments(emulator).get(resourceKey(id));
    if (existing === undefined) return reply.code(204).send();
    roleAssignments(emulator).delete(resourceKey(id));
    effect(request, { change: 'deleted', kind: 'role-assignment', id });
    return toBody(existing);
  });

  // Not Azure's: what an administrator would do by assigning the application other roles.
  app.put('/_emulator/permissions', async (request) => {
    const { permissions } = parseBody(z.strictObject({ permissions: z.array(permissionSchema) }), request.body);
    setPermissions(emulator).put(applicationKey, permissions);
    return { permissions };
  });
  app.delete('/_emulator/permissions', async (_request, reply) => {
    setPermissions(emulator).delete(applicationKey);
    return reply.code(204).send();
  });
}

function extensionCall(request: FastifyRequest): ExtensionCall | undefined {
  const [, scope, type, name] = extension.exec(request.call.path) ?? [];
  if (scope === undefined || type === undefined) return undefined;
  return { scope, type: type.toLowerCase() as ExtensionCall['type'], name };
}

function createAssignment(emulator: Emulator, request: FastifyRequest, scope: string, name: string): RoleAssignment {
  const { properties } = parseBody(bodySchema, request.body);
  if (!z.guid().safeParse(name).success) {
    throw badRequest('InvalidRoleAssignmentId', `The role assignment ID '${name}' is not valid. It must be a GUID.`);
  }
  if (roleNameOf(properties.roleDefinitionId) === undefined) {
    const message = `The specified role definition with ID '${properties.roleDefinitionId}' does not exist.`;
    throw badRequest('RoleDefinitionDoesNotExist', message);
  }
  const id = assignmentId(scope, name);
  const assignments = roleAssignments(emulator);
  const role = resourceKey(properties.roleDefinitionId).split('/').at(-1);
  const twin = assignments
    .list()
    .find(
      (other) =>
        resourceKey(other.scope) === resourceKey(scope) &&
        other.principalId === properties.principalId &&
        resourceKey(other.roleDefinitionId).endsWith(`/${role}`),
    );
  if (twin !== undefined && resourceKey(twin.id) !== resourceKey(id)) {
    throw conflict(
      'RoleAssignmentExists',
      `The role assignment already exists. The ID of the existing role assignment is ${twin.name}.`,
    );
  }
  const existing = assignments.get(resourceKey(id));
  if (existing !== undefined && twin === undefined) {
    throw badRequest(
      'RoleAssignmentUpdateNotPermitted',
      'Tenant ID, application ID, principal ID, and scope are not allowed to be updated.',
    );
  }
  const now = emulator.clock.now().toISOString();
  const assignment: RoleAssignment = {
    id,
    name,
    scope,
    roleDefinitionId: properties.roleDefinitionId,
    principalId: properties.principalId,
    principalType: properties.principalType,
    ...(properties.description !== undefined && { description: properties.description }),
    createdOn: existing?.createdOn ?? now,
    effectiveFrom: existing?.effectiveFrom ?? emulator.clock.due(roleAssignmentPropagationSeconds).toISOString(),
  };
  const unchanged = existing?.description === assignment.description && existing !== undefined;
  if (!unchanged) assignments.put(resourceKey(id), assignment);
  const change = existing === undefined ? 'created' : unchanged ? 'unchanged' : 'updated';
  effect(request, { change, kind: 'role-assignment', id });
  return assignment;
}

function findAssignment(emulator: Emulator, call: ExtensionCall): RoleAssignment {
  const found = roleAssignments(emulator).get(resourceKey(assignmentId(call.scope, call.name ?? '')));
  if (found !== undefined) return found;
  throw new ArmError(404, 'RoleAssignmentNotFound', `The role assignment '${call.name ?? ''}' is not found.`);
}

/** With `atScope()` those at the scope and above, else those below as well; `principalId eq '…'` narrows. */
function listAssignments(emulator: Emulator, scope: string, filter = ''): RoleAssignment[] {
  const at = `${resourceKey(scope)}/`;
  const principalId = /(?:principalId|assignedTo)\s*(?:eq\s*|\()'([^']+)'/i.exec(filter)?.[1];
  return roleAssignments(emulator)
    .list()
    .filter((assignment) => {
      const own = `${resourceKey(assignment.scope)}/`;
      const inScope = at.startsWith(own) || (!/atScope\(\)/i.test(filter) && own.startsWith(at));
      return inScope && (principalId === undefined || assignment.principalId === principalId);
    });
}

function assignmentId(scope: string, name: string): string {
  return `${scope}/providers/Microsoft.Authorization/roleAssignments/${name}`;
}

function toBody({ id, name, effectiveFrom: _, createdOn, ...properties }: RoleAssignment): Record<string, unknown> {
  return {
    id,
    name,
    type: 'Microsoft.Authorization/roleAssignments',
    properties: { ...properties, condition: null, conditionVersion: null, createdOn, updatedOn: createdOn },
  };
}

function roleNameOf(roleDefinitionId: string): string | undefined {
  const guid = resourceKey(roleDefinitionId).split('/').at(-1);
  return Object.entries(roleDefinitionGuids).find(([, known]) => known === guid)?.[0];
}

function roleDefinition({ scope, name }: ExtensionCall, filter = ''): unknown {
  const wanted = /roleName\s+eq\s+'([^']+)'/i.exec(filter)?.[1]?.toLowerCase();
  const definitions = Object.entries(roleDefinitionGuids)
    .filter(([roleName]) => wanted === undefined || roleName.toLowerCase() === wanted)
    .map(([roleName, guid]) => ({
      id: `/subscriptions/${scope.split('/')[2] ?? ''}/providers/Microsoft.Authorization/roleDefinitions/${guid}`,
      name: guid,
      type: 'Microsoft.Authorization/roleDefinitions',
      properties: { roleName, type: 'BuiltInRole', assignableScopes: ['/'] },
    }));
  if (name === undefined) return { value: definitions };
  const definition = definitions.find((candidate) => candidate.name === name.toLowerCase());
  if (definition !== undefined) return definition;
  throw new ArmError(
    404,
    'RoleDefinitionDoesNotExist',
    `The specified role definition with ID '${name}' does not exist.`,
  );
}
