import type { FastifyInstance, FastifyRequest } from 'fastify';
import { page } from '../arm/paging.js';
import { resourceGroupId, resourceKey, resourceName } from '../arm/resource-id.js';
import type { ResourceTypes } from '../arm/resource-types.js';
import type { Emulator } from '../core/emulator.js';
import { parseFilter } from './filter.js';

interface ResourcesRoute {
  Params: { subscriptionId: string; resourceGroup?: string };
  Querystring: { $filter?: string; $expand?: string };
}

/** What is in the subscription or a resource group, whatever its type. */
export function registerResources(app: FastifyInstance, emulator: Emulator): void {
  const list = (request: FastifyRequest<ResourcesRoute>) => {
    const { subscriptionId, resourceGroup } = request.params;
    const group = resourceGroup === undefined ? '' : `${resourceKey(resourceGroupId(subscriptionId, resourceGroup))}/`;
    const matches = parseFilter(request.query.$filter);
    const expand = (request.query.$expand ?? '').split(',').map((field) => field.trim());
    const found = emulator.resourceTypes
      .resources()
      .filter((resource) => resourceKey(resource.id).startsWith(group) && matches(resource));
    return page(
      request,
      found.map((resource) => toBody(resource, expand)),
    );
  };
  app.get<ResourcesRoute>('/subscriptions/:subscriptionId/resources', async (request) => list(request));
  app.get<ResourcesRoute>('/subscriptions/:subscriptionId/resourceGroups/:resourceGroup/resources', async (request) =>
    list(request),
  );
}

function toBody(
  { createdTime, provisioningState, ...resource }: ReturnType<ResourceTypes['resources']>[number],
  expand: readonly string[],
): Record<string, unknown> {
  return {
    ...resource,
    name: resourceName(resource.id),
    ...(expand.includes('createdTime') && { createdTime }),
    ...(expand.includes('provisioningState') && { provisioningState }),
  };
}
