import { randomBytes } from 'node:crypto';
import { resourceNotFound } from '../arm/errors.js';
import { resourceId, resourceKey } from '../arm/resource-id.js';
import type { TrackedResource } from '../arm/resource-types.js';
import type { Collection } from '../core/documents.js';
import type { Emulator } from '../core/emulator.js';

export const registryType = 'Microsoft.ContainerRegistry/registries';

/** Where every registry is. */
export const registryPath =
  `/subscriptions/:subscriptionId/resourceGroups/:resourceGroup/providers/${registryType}/:registryName` as const;

/** A call about one registry. */
export interface RegistryRoute {
  Params: { subscriptionId: string; resourceGroup: string; registryName: string };
}

/** A registry as it is kept. */
export interface Registry {
  id: string;
  name: string;
  location: string;
  tags: Record<string, string>;
  sku: { name: string };
  /** `HOST:PORT` of its data plane. */
  loginServer: string;
  adminUserEnabled: boolean;
  /** Both passwords of the admin user, either of which signs in. */
  passwords: [string, string];
  creationDate: string;
  provisioningState: 'Succeeded' | 'Deleting' | 'Failed';
  /** Further properties that were put, given back as they are. */
  properties: Record<string, unknown>;
}

/** Registries by the key of their resource id. */
export function registries(emulator: Emulator): Collection<Registry> {
  return emulator.documents.collection<Registry>('registries');
}

/** The registry that a path names. Throws the gateway's ResourceNotFound. */
export function findRegistry(emulator: Emulator, { registryName, ...group }: RegistryRoute['Params']): Registry {
  const found = registries(emulator).get(resourceKey(resourceId(group, registryType, registryName)));
  if (found === undefined) throw resourceNotFound(registryType, registryName, group.resourceGroup);
  return found;
}

export function newPassword(): string {
  return randomBytes(24).toString('base64url');
}

/** The admin user is named after its registry. Whether it signs in with this password. */
export function isAdmin(registry: Registry, username: string, password: string): boolean {
  return registry.adminUserEnabled && username === registry.name && registry.passwords.includes(password);
}

/** What the lists of Resource Manager have of a registry. */
export function trackedRegistry({ sku, ...registry }: Registry): TrackedResource {
  const { id, location, tags, creationDate, provisioningState } = registry;
  return { id, location, tags, sku: { name: sku.name, tier: sku.name }, provisioningState, createdTime: creationDate };
}

/** Resource Manager's body of a registry. */
export function registryBody(registry: Registry): Record<string, unknown> {
  const { id, name, location, tags, sku, loginServer, creationDate, provisioningState, adminUserEnabled } = registry;
  return {
    id,
    name,
    type: registryType,
    location,
    tags,
    sku: { name: sku.name, tier: sku.name },
    properties: {
      publicNetworkAccess: 'Enabled',
      zoneRedundancy: 'Disabled',
      anonymousPullEnabled: false,
      dataEndpointEnabled: false,
      dataEndpointHostNames: [],
      networkRuleBypassOptions: 'AzureServices',
      roleAssignmentMode: 'LegacyRegistryPermissions',
      ...registry.properties,
      loginServer,
      creationDate,
      provisioningState,
      adminUserEnabled,
    },
  };
}
