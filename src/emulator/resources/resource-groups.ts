import { isDeepStrictEqual } from 'node:util';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { parseBody, tagsSchema } from '../arm/body.js';
import { ArmError } from '../arm/errors.js';
import { page } from '../arm/paging.js';
import { resourceGroupId, resourceKey } from '../arm/resource-id.js';
import type { Collection } from '../core/documents.js';
import type { Emulator } from '../core/emulator.js';
import { effect } from '../core/journal.js';
import { parseFilter } from './filter.js';

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
interface ListRoute {
  Querystring: { $filter?: string };
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

/** Resource groups: list, get, head, put, and patch of their tags. */
export function registerResourceGroups(app: FastifyInstance, emulator: Emulator): void {
  const groups = resourceGroups(emulator);
  emulator.inventory.source(() =>
    groups.list().map(({ id, name, tags }) => ({ kind: 'resource-group', id, name, ...(tags && { tags }) })),
  );

  const path = '/subscriptions/:subscriptionId/resourceGroups';
  const one = `${path}/:resourceGroup`;
  const find = ({ params }: FastifyRequest<GroupRoute>): ResourceGroup => {
    const group = groups.get(resourceKey(resourceGroupId(params.subscriptionId, params.resourceGroup)));
    if (group !== undefined) return group;
    throw new ArmError(404, 'ResourceGroupNotFound', `Resource group '${params.resourceGroup}' could not be found.`);
  };

  app.get<ListRoute>(path, async (request) => page(request, groups.list().filter(parseFilter(request.query.$filter))));

  app.head<GroupRoute>(one, async (request, reply) => {
    find(request);
    return reply.code(204).send();
  });

  app.get<GroupRoute>(one, async (request) => find(request));

  app.patch<GroupRoute>(one, async (request) => {
    const group = find(request);
    const { tags = group.tags } = parseBody(z.object({ tags: tagsSchema.optional() }), request.body);
    const patched = { ...group, ...(tags && { tags }) };
    const unchanged = isDeepStrictEqual(group, patched);
    if (!unchanged) groups.put(resourceKey(group.id), patched);
    effect(request, { change: unchanged ? 'unchanged' : 'updated', kind: 'resource-group', id: group.id });
    return patched;
  });

  app.put<GroupRoute>(one, async (request, reply) => {
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
