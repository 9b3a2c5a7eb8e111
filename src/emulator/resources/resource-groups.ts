import { isDeepStrictEqual } from 'node:util';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { parseBody, tagsSchema } from '../arm/body.js';
import { ArmError } from '../arm/errors.js';
import { resourceGroupId, resourceKey } from '../arm/resource-id.js';
import type { Collection } from '../core/documents.js';
import type { Emulator } from '../core/emulator.js';
import { effect } from '../core/journal.js';

/** A resource group, as it is answered. */
export interface ResourceGroup {
  id: string;
  name: string;
  type: 'Microsoft.Resources/resourceGroups';
  location: string;
  tags?: Record<string, string>;
  properties: { provisioningState: 'Succeeded' };
}

interface GroupRoute {
  Params: { subscriptionId: string; resourceGroup: string };
}

const bodySchema = z.object({ location: z.string().min(1), tags: tagsSchema.optional() });

export function resourceGroups(emulator: Emulator): Collection<ResourceGroup> {
  return emulator.documents.collection<ResourceGroup>('resource-groups');
}

/** A resource group with the shape that Resource Manager answers. */
export function newResourceGroup(
  subscriptionId: string,
  name: string,
  { location, tags }: z.infer<typeof bodySchema>,
): ResourceGroup {
  return {
    id: resourceGroupId(subscriptionId, name),
    name,
    type: 'Microsoft.Resources/resourceGroups',
    location,
    ...(tags && { tags }),
    properties: { provisioningState: 'Succeeded' },
  };
}

/** Resource groups: get, list, put. Deleting one is not emulated: Slipway never does it. */
export function registerResources(app: FastifyInstance, emulator: Emulator): void {
  const groups = resourceGroups(emulator);
  emulator.inventory.source(() =>
    groups.list().map(({ id, name, tags }) => ({ kind: 'resource-group', id, name, ...(tags && { tags }) })),
  );

  app.get('/subscriptions/:subscriptionId/resourceGroups', async () => ({ value: groups.list() }));

  app.get<GroupRoute>('/subscriptions/:subscriptionId/resourceGroups/:resourceGroup', async (request) => {
    const { subscriptionId, resourceGroup } = request.params;
    const group = groups.get(resourceKey(resourceGroupId(subscriptionId, resourceGroup)));
    if (group !== undefined) return group;
    throw new ArmError(404, 'ResourceGroupNotFound', `Resource group '${resourceGroup}' could not be found.`);
  });

  app.put<GroupRoute>('/subscriptions/:subscriptionId/resourceGroups/:resourceGroup', async (request, reply) => {
    const { subscriptionId, resourceGroup } = request.params;
    const group = newResourceGroup(subscriptionId, resourceGroup, parseBody(bodySchema, request.body));
    const existing = groups.get(resourceKey(group.id));
    const unchanged = isDeepStrictEqual(existing, group);
    if (!unchanged) groups.put(resourceKey(group.id), group);
    const change = existing === undefined ? 'created' : unchanged ? 'unchanged' : 'updated';
    effect(request, { change, kind: 'resource-group', id: group.id });
    return reply.code(existing === undefined ? 201 : 200).send(group);
  });
}
