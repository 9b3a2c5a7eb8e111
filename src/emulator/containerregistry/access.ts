import { hasRole } from '../authorization/role-assignments.js';
import type { RoleName } from '../authorization/role-definitions.js';
import type { Emulator } from '../core/emulator.js';

/** One `type:name:actions` of the token protocol, such as `repository:slipway/abc:pull,push`. */
export interface Access {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

/** What a request needs: one action on one thing. */
export interface Need {
  readonly type: 'repository' | 'registry';
  readonly name: string;
  readonly action: string;
}

/** The registry's catalog, of which reading is the only thing to ask. */
export const catalogNeed: Need = { type: 'registry', name: 'catalog', action: '*' };

const pullActions = ['pull', 'metadata_read'];
const pushActions = [...pullActions, 'push', 'metadata_write'];
const everyAction = [...pushActions, 'delete', '*'];

/** What ACR's built-in roles allow on the data of a registry. */
const actionsOfRoles: readonly (readonly [RoleName, readonly string[]])[] = [
  ['Owner', everyAction],
  ['Contributor', everyAction],
  ['AcrPush', pushActions],
  ['AcrPull', pullActions],
];

/** Actions that a principal may do on every repository of a registry, by its roles at the registry or above. */
export function actionsOfPrincipal(emulator: Emulator, principalId: string, registryId: string): ReadonlySet<string> {
  // The one application of this Azure owns the subscription.
  if (principalId === emulator.tokens.identity.objectId) return new Set(everyAction);
  const held = actionsOfRoles.filter(([role]) => hasRole(emulator, { principalId, role, scope: registryId }));
  return new Set(held.flatMap(([, actions]) => actions));
}

/** Actions of the registry's admin user. */
export const actionsOfAdmin: ReadonlySet<string> = new Set(everyAction);

/** Reads scopes: several in one parameter, separated by spaces, or several parameters. Unreadable ones are left out. */
export function parseScopes(scopes: readonly string[]): Access[] {
  return scopes
    .flatMap((scope) => scope.split(' '))
    .map((scope) => /^(repository|registry):(.+):([^:]*)$/.exec(scope))
    .filter((match) => match !== null)
    .map(([, type = '', name = '', actions = '']) => ({ type, name, actions: actions.split(',').filter(Boolean) }));
}

/** What of the requested access is allowed. Asking for `*` is asking for everything. */
export function grantedAccess(requested: readonly Access[], allowed: ReadonlySet<string>): Access[] {
  return requested.map(({ type, name, actions }) => ({
    type,
    name,
    actions:
      actions.includes('*') && type === 'repository' ? [...allowed] : actions.filter((action) => allowed.has(action)),
  }));
}

/** Whether a token's access covers a need. */
export function covers(access: readonly Access[], need: Need): boolean {
  return access.some(
    ({ type, name, actions }) => type === need.type && name === need.name && actions.includes(need.action),
  );
}
