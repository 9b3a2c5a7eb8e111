import { isDeepStrictEqual } from 'node:util';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { parseBody, tagsSchema } from '../arm/body.js';
import { ArmError, conflict } from '../arm/errors.js';
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
  properties: { provisioningState: 'Succeeded' | 'Deleting' };
}

/** A call about one resource group. */
export interface GroupRoute {
  Params: { subscriptionId: string; resourceGroup: string };
}
interface ListRoute {
  Querystring: { $filter?: string };
}

const bodySchema = z.object({ location: z.string().min(1), tags: tagsSchema.optional() });

export function resourceGroups(emulator: Emulator): Collection<ResourceGroup> {
  return emulator.documents.collection<ResourceGroup>('resource-groups');
}

/** The resource group that a path names. Throws ArmError 404 `ResourceGroupNotFound`. */
export function findGroup(emulator: Emulator, { subscriptionId, resourceGroup }: GroupRoute['Params']): ResourceGroup {
  const group = resourceGroups(emulator).get(resourceKey(resourceGroupId(subscriptionId, resourceGroup)));
  if (group !== undefined) return group;
  throw new ArmError(404, 'ResourceGroupNotFound', `Resource group '${resourceGroup}' could not be found.`);
}

/** Throws ArmError 409 for a group that is being deleted, which takes nothing new. */
export function refuseDeleting({ name, properties }: ResourceGroup): void {
  if (properties.provisioningState !== 'Deleting') return;
  throw conflict(
    'ResourceGroupBeingDeleted',
    `The resource group '${name}' is in deprovisioning state and cannot perform this operation.`,
  );
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

  app.get<ListRoute>(path, async (request) => page(request, groups.list().filter(parseFilter(request.query.$filter))));

  app.head<GroupRoute>(one, async (request, reply) => {
    findGroup(emulator, request.params);
    return reply.code(204).send();
  });

  app.get<GroupRoute>(one, async (request) => findGroup(emulator, request.params));

  app.patch<GroupRoute>(one, async (request) => {
    const group = findGroup(emulator, request.params);
    refuseDeleting(group);
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
    if (existing !== undefined) refuseDeleting(existing);
    const unchanged = isDeepStrictEqual(existing, group);
    if (!unchanged) groups.put(resourceKey(group.id), group);
    const change = existing === undefined ? 'created' : unchanged ? 'unchanged' : 'updated';
    effect(request, { change, kind: 'resource-group', id: group.id });
    return reply.code(existing === undefined ? 201 : 200).send(group);
  });
}
