import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { parseBody } from '../arm/body.js';
import { badRequest } from '../arm/errors.js';
import { managedClusters } from '../containerservice/managed-cluster.js';
import { coresUsed } from '../containerservice/quota.js';
import type { Emulator } from '../core/emulator.js';
import { regionOf, regions } from '../resources/regions.js';
import { quotaNames, quotaOf, quotas, regionalCores } from './quotas.js';
import { vmSizes, type VmSize } from './vm-sizes.js';

interface SkuRoute {
  Querystring: { $filter?: string };
}
interface RegionRoute {
  Params: { region: string };
}

const provider = '/subscriptions/:subscriptionId/providers/Microsoft.Compute';

const quotaSchema = z.strictObject({ name: z.enum(quotaNames), limit: z.int().min(0) });

/** Compute: which sizes are offered where, and how many cores are used of how many. It has no virtual machines of its own. */
export function registerCompute(app: FastifyInstance, emulator: Emulator): void {
  app.get<SkuRoute>(`${provider}/skus`, async (request) => {
    const region = /location\s+eq\s+'([^']+)'/i.exec(request.query.$filter ?? '')?.[1]?.toLowerCase();
    const inRegions = region === undefined ? regions.map(({ name }) => name) : [region];
    return { value: inRegions.flatMap((name) => skusIn(name)) };
  });

  app.get<RegionRoute>(`${provider}/locations/:region/usages`, async ({ params }) => {
    const region = regionOf(params.region);
    if (region === undefined) throw locationNotFound(params.region);
    const used = coresUsed(managedClusters(emulator).list(), region.name);
    return { value: quotaNames.map((name) => usage(name, used.get(name) ?? 0, quotaOf(emulator, name))) };
  });

  // Not Azure's: what an administrator would ask Microsoft for.
  app.put('/_emulator/quotas', async (request) => {
    const { name, limit } = parseBody(quotaSchema, request.body);
    quotas(emulator).put(name, limit);
    return { name, limit };
  });
  app.delete('/_emulator/quotas', async (_request, reply) => {
    for (const [name] of quotas(emulator).entries()) quotas(emulator).delete(name);
    return reply.code(204).send();
  });
}

function skusIn(region: string): object[] {
  return vmSizes.filter(({ regions: offeredIn }) => offeredIn.includes(region)).map((size) => sku(size, region));
}

function sku({ name, cores, memoryGiB, family, restricted }: VmSize, region: string): object {
  const restriction = {
    type: 'Location',
    values: [region],
    restrictionInfo: { locations: [region] },
    reasonCode: 'NotAvailableForSubscription',
  };
  return {
    resourceType: 'virtualMachines',
    name,
    tier: 'Standard',
    size: name.replace(/^Standard_/, ''),
    family,
    locations: [region],
    locationInfo: [{ location: region, zones: ['1', '2', '3'], zoneDetails: [] }],
    capabilities: [
      { name: 'vCPUs', value: String(cores) },
      { name: 'MemoryGB', value: String(memoryGiB) },
    ],
    restrictions: restricted ? [restriction] : [],
  };
}

function usage(name: string, currentValue: number, limit: number): object {
  const localizedValue = name === regionalCores ? 'Total Regional vCPUs' : `${name} vCPUs`;
  return { unit: 'Count', currentValue, limit, name: { value: name, localizedValue } };
}

function locationNotFound(region: string) {
  return badRequest(
    'NoRegisteredProviderFound',
    `No registered resource provider found for location '${region}' and type 'locations/usages'. ` +
      `The supported locations are '${regions.map(({ name }) => name).join(', ')}'.`,
  );
}
