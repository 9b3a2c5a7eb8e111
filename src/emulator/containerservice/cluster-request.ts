import { z } from 'zod';
import { badRequest } from '../arm/errors.js';
import { vmSizeOf } from '../compute/vm-sizes.js';
import { kubernetesVersion as newestVersion } from '../kubernetes/limits.js';
import { regionOf, regions } from '../resources/regions.js';
import { ContainerServiceError, invalidParameter } from './errors.js';

/** az sends empty text for what it leaves to the service: sizes and versions. */
function withoutEmptyText(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== ''));
}

const poolSchema = z.preprocess(
  withoutEmptyText,
  z.looseObject({
    name: z
      .string()
      .regex(/^[a-z][a-z0-9]{0,11}$/, 'must be 1 to 12 lower case letters and digits, beginning with a letter'),
    count: z.number().int().min(0).max(1000).default(1),
    vmSize: z.string().optional(),
    mode: z.enum(['System', 'User']).default('User'),
    osType: z.enum(['Linux', 'Windows']).default('Linux'),
    maxPods: z.number().int().min(10).max(250).nullish(),
    osDiskSizeGB: z.number().int().min(0).max(2048).nullish(),
    enableAutoScaling: z.boolean().nullish(),
    minCount: z.number().int().min(0).nullish(),
    maxCount: z.number().int().min(0).nullish(),
    nodeLabels: z.record(z.string(), z.string()).nullish(),
    nodeTaints: z.array(z.string()).nullish(),
    availabilityZones: z.array(z.string()).nullish(),
  }),
);

const clusterSchema = z.looseObject({
  location: z.string().min(1),
  tags: z.record(z.string(), z.string()).optional(),
  identity: z.looseObject({ type: z.string() }).optional(),
  sku: z.looseObject({ name: z.string().optional(), tier: z.string().optional() }).optional(),
  properties: z
    .preprocess(
      withoutEmptyText,
      z.looseObject({
        dnsPrefix: z.string().optional(),
        fqdnSubdomain: z.string().optional(),
        kubernetesVersion: z.string().optional(),
        enableRBAC: z.boolean().nullish(),
        disableLocalAccounts: z.boolean().nullish(),
        agentPoolProfiles: z.array(poolSchema).default([]),
      }),
    )
    .prefault({}),
});

/** A cluster as it was asked for. */
export type ClusterRequest = z.infer<typeof clusterSchema>;
export type PoolRequest = z.infer<typeof poolSchema>;

const clusterName = /^[a-zA-Z0-9]$|^[a-zA-Z0-9][-_a-zA-Z0-9]{0,61}[a-zA-Z0-9]$/;
const dnsPrefix = /^[a-zA-Z0-9]([a-zA-Z0-9-]{0,52}[a-zA-Z0-9])?$/;

/** Minor versions that can be asked for: the three before the newest, and that. */
const supportedMinors = [0, 1, 2, 3].map((age) => Number(newestVersion.split('.')[1]) - age);

/** Version that is used when none is asked for. */
export const defaultVmSize = 'Standard_D4s_v3';

/**
 * Checks what a PUT asks for.
 * @throws ArmError for a region in which there are no clusters
 * @throws ContainerServiceError as the service refuses it
 */
export function parseClusterRequest(name: string, body: unknown): ClusterRequest {
  if (!clusterName.test(name)) {
    throw invalidParameter(
      'The resource name must match ^[a-zA-Z0-9]$|^[a-zA-Z0-9][-_a-zA-Z0-9]{0,61}[a-zA-Z0-9]$.',
      'name',
    );
  }
  const parsed = clusterSchema.safeParse(body);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw invalidParameter(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'malformed'}`, issue?.path.join('.'));
  }
  const { properties, identity } = parsed.data;
  const region = requireRegion(parsed.data.location);
  const { agentPoolProfiles: pools, kubernetesVersion: version } = properties;
  if (identity === undefined && properties.servicePrincipalProfile === undefined) {
    throw invalidParameter('Required parameter identity or servicePrincipalProfile is missing (null).', 'identity');
  }
  if (!dnsPrefix.test(properties.dnsPrefix ?? properties.fqdnSubdomain ?? '')) {
    throw invalidParameter('The value of parameter dnsPrefix is invalid.', 'dnsPrefix');
  }
  if (!pools.some(({ mode, count }) => mode === 'System' && count > 0)) {
    throw invalidParameter('There has to be at least one system agent pool with nodes.', 'agentPoolProfiles');
  }
  for (const { vmSize = defaultVmSize } of pools) {
    const size = vmSizeOf(vmSize);
    if (size?.regions.includes(region) && !size.restricted) continue;
    const message = `Virtual Machine size: '${vmSize}' is not supported for subscription in location '${region}'.`;
    throw new ContainerServiceError(400, 'VMSizeNotSupported', message, 'agentPoolProfiles');
  }
  if (version !== undefined && !isSupported(version)) {
    const message = `Managed cluster is on version ${version}, which is not supported in this region.`;
    throw new ContainerServiceError(400, 'K8sVersionNotSupported', message, 'kubernetesVersion');
  }
  return { ...parsed.data, location: region };
}

/** Name of the region, which may be given as the portal shows it. */
function requireRegion(location: string): string {
  const region = regionOf(location);
  if (region !== undefined) return region.name;
  throw badRequest(
    'LocationNotAvailableForResourceType',
    `The provided location '${location}' is not available for resource type 'Microsoft.ContainerService/managedClusters'. ` +
      `List of available regions for the resource type is '${regions.map(({ name }) => name).join(',')}'.`,
  );
}

function isSupported(version: string): boolean {
  const minor = /^1\.(\d+)(\.\d+)?$/.exec(version)?.[1];
  return minor !== undefined && supportedMinors.includes(Number(minor));
}
