import { z } from 'zod';
import type { AzureConnection } from './connection.js';
import { listResources } from './resources.js';

const PERMISSIONS_API = '2022-04-01';

const patterns = z
  .array(z.string())
  .nullish()
  .transform((list) => list ?? []);

const Permission = z.object({
  actions: patterns,
  notActions: patterns,
  dataActions: patterns,
  notDataActions: patterns,
});

/** What one role lets the caller do: patterns of actions, without those that it takes out again. */
export type Permission = z.output<typeof Permission>;

/**
 * What the caller may do at a scope, an entry for each role that it has there or above.
 *
 * @param scope ARM id of a resource or resource group
 */
export async function listPermissions(
  azure: AzureConnection,
  subscriptionId: string,
  scope: string,
  abortSignal: AbortSignal,
): Promise<Permission[]> {
  const id = `${scope}/providers/Microsoft.Authorization/permissions`;
  const found = await listResources(azure, { subscriptionId, id, apiVersion: PERMISSIONS_API }, abortSignal);
  return z.array(Permission).parse(found);
}

/** Whether any role allows an action of Resource Manager and does not itself take it out again. */
export function allows(permissions: readonly Permission[], action: string): boolean {
  return permissions.some(({ actions, notActions }) => matches(actions, action) && !matches(notActions, action));
}

/** The same for an action on the data in a resource, of which Resource Manager's actions say nothing. */
export function allowsData(permissions: readonly Permission[], action: string): boolean {
  return permissions.some(
    ({ dataActions, notDataActions }) => matches(dataActions, action) && !matches(notDataActions, action),
  );
}

/** Case does not count, and `*` stands for anything, `/` included. */
function matches(patterns: readonly string[], action: string): boolean {
  return patterns.some((pattern) => {
    const parts = pattern.split('*').map((part) => part.replace(/[^a-zA-Z0-9]/g, '\\$&'));
    return new RegExp(`^${parts.join('.*')}$`, 'i').test(action);
  });
}
