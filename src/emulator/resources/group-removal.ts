import type { FastifyInstance } from 'fastify';
import { resourceGroupId, resourceKey } from '../arm/resource-id.js';
import { roleAssignments } from '../authorization/role-assignments.js';
import { resourceGroupDeleteSeconds } from '../core/durations.js';
import type { Emulator } from '../core/emulator.js';
import { effect } from '../core/journal.js';
import { retryAfterSeconds } from '../core/limits.js';
import { findGroup, resourceGroups, type GroupRoute, type ResourceGroup } from './resource-groups.js';

const operationType = 'resource-group.delete';

/** Deleting a resource group with everything in it. To be registered last: a removal that was interrupted goes on at once. */
export function registerGroupRemoval(app: FastifyInstance, emulator: Emulator): void {
  const groups = resourceGroups(emulator);
  const setState = (group: ResourceGroup, provisioningState: 'Deleting' | 'Succeeded') =>
    groups.put(resourceKey(group.id), { ...group, properties: { provisioningState } });

  emulator.operations.define(operationType, {
    onSucceeded: (id) => removeGroup(emulator, id),
    onFailed(id) {
      const group = groups.get(resourceKey(id));
      if (group !== undefined) setState(group, 'Succeeded');
    },
  });

  app.delete<GroupRoute>('/subscriptions/:subscriptionId/resourceGroups/:resourceGroup', async (request, reply) => {
    const group = findGroup(emulator, request.params);
    const isDeleting = group.properties.provisioningState === 'Deleting';
    const { resultUrl } = emulator.operations.begin(request, {
      type: operationType,
      resourceId: resourceGroupId(request.params.subscriptionId, group.name),
      provider: 'Microsoft.Resources',
      region: group.location,
      seconds: resourceGroupDeleteSeconds,
    });
    setState(group, 'Deleting');
    effect(request, { change: isDeleting ? 'unchanged' : 'deleted', kind: 'resource-group', id: group.id });
    return reply.code(202).headers({ location: resultUrl, 'retry-after': retryAfterSeconds }).send();
  });
}

/** Removes the group's resources, the role assignments on it and them, and then the group itself. */
async function removeGroup(emulator: Emulator, groupId: string): Promise<void> {
  const requestId = emulator.operations.current(groupId)?.id ?? '';
  const record = (kind: string, id: string) => {
    const time = emulator.clock.now().toISOString();
    const call = { time, service: 'arm', method: 'DELETE', path: id, status: 200, requestId };
    emulator.journal.record({ ...call, cascadeOf: groupId, effect: { change: 'deleted', kind, id } });
  };
  await emulator.resourceTypes.removeAll(groupId, record);
  const assignments = roleAssignments(emulator);
  for (const [key, { id, scope }] of assignments.entries()) {
    if (!`${resourceKey(scope)}/`.startsWith(`${resourceKey(groupId)}/`)) continue;
    assignments.delete(key);
    record('role-assignment', id);
  }
  resourceGroups(emulator).delete(resourceKey(groupId));
}
