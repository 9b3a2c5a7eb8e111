import { z } from 'zod';
import type { AzureConnection } from './connection.js';
import { getResource } from './resources.js';

/** A size of virtual machine as a region offers it. */
export interface VmSize {
  readonly name: string;
  /** Family that quota is counted by. */
  readonly family: string;
  /** vCPUs, which is what quota counts. */
  readonly cores: number;
  /** Why the subscription may not use it in the whole region, as `NotAvailableForSubscription`. */
  readonly restriction: string | undefined;
}

/** How much of a quota is used in a region, in vCPUs. */
export interface CoreUsage {
  /** Family, or {@link REGIONAL_CORES}. */
  readonly name: string;
  /** What Azure calls it for people. */
  readonly label: string;
  readonly used: number;
  readonly limit: number;
}

/** Name of the usage that counts the vCPUs of all families of a region. */
export const REGIONAL_CORES = 'cores';

/** Version of the resource provider's own description; its shape has not changed in years. */
const PROVIDERS_API = '2021-04-01';

/** The sizes that a region offers; none where there is no such region. */
export async function listVmSizes(
  azure: AzureConnection,
  subscriptionId: string,
  region: string,
  abortSignal: AbortSignal,
): Promise<VmSize[]> {
  const sizes: VmSize[] = [];
  const filter = `location eq '${region}'`;
  for await (const sku of azure.compute(subscriptionId).resourceSkus.list({ filter, abortSignal })) {
    if (sku.resourceType?.toLowerCase() !== 'virtualmachines' || sku.name === undefined) continue;
    // A restriction of zones leaves the others of the region.
    const restriction = sku.restrictions?.find(({ type }) => type === 'Location');
    sizes.push({
      name: sku.name,
      family: sku.family ?? '',
      cores: Number(sku.capabilities?.find(({ name }) => name === 'vCPUs')?.value ?? 0),
      restriction: restriction && (restriction.reasonCode ?? 'restricted'),
    });
  }
  return sizes;
}

/** The usages of a region that are counted in vCPUs, and some others. */
export async function listUsages(
  azure: AzureConnection,
  subscriptionId: string,
  region: string,
  abortSignal: AbortSignal,
): Promise<CoreUsage[]> {
  const usages: CoreUsage[] = [];
  for await (const { name, currentValue, limit } of azure.compute(subscriptionId).usage.list(region, { abortSignal })) {
    if (name.value === undefined) continue;
    usages.push({ name: name.value, label: name.localizedValue ?? name.value, used: currentValue, limit });
  }
  return usages;
}

/** The usage that counts the vCPUs of a family. Azure writes one family in several ways: `standardNCASv3_T4 Family`. */
export function usageOf(usages: readonly CoreUsage[], family: string): CoreUsage | undefined {
  return usages.find(({ name }) => plain(name) === plain(family));
}

function plain(family: string): string {
  return family.toLowerCase().replace(/[^a-z0-9]/g, '');
}

const Provider = z.object({
  resourceTypes: z.array(z.object({ resourceType: z.string(), locations: z.array(z.string()).default([]) })),
});

/** Names of the regions in which AKS clusters can be made, such as `westus2`. */
export async function listClusterRegions(
  azure: AzureConnection,
  subscriptionId: string,
  abortSignal: AbortSignal,
): Promise<string[]> {
  const id = `/subscriptions/${subscriptionId}/providers/Microsoft.ContainerService`;
  const found = await getResource(azure, { subscriptionId, id, apiVersion: PROVIDERS_API }, abortSignal);
  const { resourceTypes } = Provider.parse(found);
  const clusters = resourceTypes.find(({ resourceType }) => resourceType.toLowerCase() === 'managedclusters');
  // Providers name regions as the portal shows them.
  return (clusters?.locations ?? []).map((region) => region.replaceAll(' ', '').toLowerCase());
}
