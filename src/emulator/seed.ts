import { resourceGroupId, resourceId, resourceKey } from './arm/resource-id.js';
import { seedRegistry } from './containerregistry/provider.js';
import type { Emulator } from './core/emulator.js';
import { addCompute, computes } from './machinelearning/computes.js';
import { workspaceType } from './machinelearning/routes.js';
import { putWorkspace, workspaces } from './machinelearning/workspaces.js';
import { newResourceGroup, resourceGroups } from './resources/resource-groups.js';
import type { BlobStore } from './storage/blob-store.js';
import { putStorageAccount } from './storage/provider.js';
import { storageAccounts } from './storage/storage-accounts.js';

/** What is there from the first start, as somebody's administrator would have set it up. */
export const seeded = {
  resourceGroup: 'slipway-local',
  storageAccount: 'slipwaylocal',
  registry: 'slipwaylocal',
  workspace: 'slipway',
  compute: 'cpu-cluster',
} as const;

/** Makes the storage account when it is missing: before all else, since its blobs take longest to be ready. */
export function seedStorage(emulator: Emulator, blobs: BlobStore): void {
  const storageId = seededId(emulator, 'Microsoft.Storage/storageAccounts', seeded.storageAccount);
  if (storageAccounts(emulator).get(resourceKey(storageId))) return;
  const { region: location } = emulator.place;
  putStorageAccount(emulator, blobs, storageId, { location, kind: 'StorageV2', sku: { name: 'Standard_LRS' } });
}

/** Makes what is missing of {@link seeded}; a start that was killed in the middle is completed by the next. */
export async function seed(emulator: Emulator, blobs: BlobStore): Promise<void> {
  const { resourceGroup } = seeded;
  const { subscriptionId, region: location } = emulator.place;
  const group = newResourceGroup(subscriptionId, resourceGroup, { location });
  const groupKey = resourceKey(resourceGroupId(subscriptionId, resourceGroup));
  if (!resourceGroups(emulator).get(groupKey)) resourceGroups(emulator).put(groupKey, group);

  await seedRegistry(emulator, { subscriptionId, resourceGroup, name: seeded.registry, location });

  const workspaceId = seededId(emulator, workspaceType, seeded.workspace);
  if (!workspaces(emulator).get(resourceKey(workspaceId))) {
    const storageAccount = seededId(emulator, 'Microsoft.Storage/storageAccounts', seeded.storageAccount);
    const containerRegistry = seededId(emulator, 'Microsoft.ContainerRegistry/registries', seeded.registry);
    const properties = { friendlyName: seeded.workspace, storageAccount, containerRegistry };
    const { workspace } = putWorkspace(emulator, blobs, workspaceId, { location, properties });
    addCompute(emulator, workspace, seeded.compute, 'Standard_DS3_v2');
  } else if (!computes(emulator).get(resourceKey(`${workspaceId}/computes/${seeded.compute}`))) {
    const workspace = workspaces(emulator).get(resourceKey(workspaceId));
    if (workspace) addCompute(emulator, workspace, seeded.compute, 'Standard_DS3_v2');
  }
}

function seededId({ place }: Emulator, type: string, name: string): string {
  const { resourceGroup } = seeded;
  return resourceId({ subscriptionId: place.subscriptionId, resourceGroup }, type, name);
}
