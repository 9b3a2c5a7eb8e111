/** Ids are compared without regard to case, as Resource Manager does; the key is what documents are filed under. */
export function resourceKey(id: string): string {
  return id.toLowerCase().replace(/\/+$/, '');
}

/** Id of a resource group. */
export function resourceGroupId(subscriptionId: string, resourceGroup: string): string {
  return `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}`;
}

/** Id of a resource: `type` is such as `Microsoft.Storage/storageAccounts`, with as many names as it has levels. */
export function resourceId(
  { subscriptionId, resourceGroup }: { subscriptionId: string; resourceGroup: string },
  type: string,
  ...names: string[]
): string {
  const [namespace = '', ...levels] = type.split('/');
  const path = levels.map((level, index) => `${level}/${names[index] ?? ''}`).join('/');
  return `${resourceGroupId(subscriptionId, resourceGroup)}/providers/${namespace}/${path}`;
}

/** The last part of an id. */
export function resourceName(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1);
}
