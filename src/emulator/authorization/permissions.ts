import { z } from 'zod';
import type { Collection } from '../core/documents.js';
import type { Emulator } from '../core/emulator.js';

const names = z.array(z.string()).default([]);

/** What one role lets its holder do: actions, without those that it takes out again. */
export const permissionSchema = z.strictObject({
  actions: names,
  notActions: names,
  dataActions: names,
  notDataActions: names,
});

export type Permission = z.output<typeof permissionSchema>;

/** The application owns the subscription and, as an owner does not, the content of its blobs. */
const owner: readonly Permission[] = [
  { actions: ['*'], notActions: [], dataActions: [], notDataActions: [] },
  {
    actions: [],
    notActions: [],
    dataActions: ['Microsoft.Storage/storageAccounts/blobServices/containers/blobs/*'],
    notDataActions: [],
  },
];

/** Permissions that were set in place of the owner's. */
export function setPermissions(emulator: Emulator): Collection<readonly Permission[]> {
  return emulator.documents.collection<readonly Permission[]>('application-permissions');
}

/** Id under which {@link setPermissions} keeps those of the one application. */
export const applicationKey = 'application';

/** What the application may do, at every scope: an entry for each of its roles. */
export function permissionsOf(emulator: Emulator): readonly Permission[] {
  return setPermissions(emulator).get(applicationKey) ?? owner;
}

/** Whether any role allows the action and does not take it out again. */
export function mayDo(emulator: Emulator, action: string): boolean {
  const matches = (patterns: readonly string[]) => patterns.some((pattern) => wildcard(pattern).test(action));
  return permissionsOf(emulator).some(({ actions, notActions }) => matches(actions) && !matches(notActions));
}

function wildcard(pattern: string): RegExp {
  const parts = pattern.split('*').map((part) => part.replace(/[.\\+?^$[\](){}|/-]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 'i');
}
