import { describeCaller } from '../../azure/caller.js';
import { clusterRef, type Cluster } from '../../azure/clusters.js';
import type { AzureConnection } from '../../azure/connection.js';
import { isForbidden } from '../../azure/failures.js';
import { allows, allowsData, listPermissions, type Permission } from '../../azure/permissions.js';
import { GRANTING_ACTION, RIGHTS, type Right, type RightScope } from '../../azure/rights.js';
import { hasRepositoryRights, isPullGranted } from '../../azure/role-assignments.js';
import type { PreflightInput, Workspace } from '../../deployment/activities.js';
import { SlipwayError } from '../../deployment/errors.js';

/** A scope at which the caller's permissions were read. */
export interface Granted {
  /** ARM id. */
  readonly scope: string;
  readonly permissions: readonly Permission[];
}

/** Rights that the caller lacks at one scope, and the role that would give them. */
export interface Missing {
  readonly scope: string;
  readonly role: string;
  readonly actions: readonly string[];
}

/** What of the table of rights the caller lacks, of those needed at the scopes that were read. */
export function missingRights(
  granted: Partial<Record<RightScope, Granted>>,
  isNeeded: (right: Right) => boolean,
): Missing[] {
  return RIGHTS.filter(isNeeded).flatMap(({ on, role, actions, dataActions = [] }) => {
    const at = granted[on];
    if (at === undefined) return [];
    const lacking = [
      ...actions.filter((action) => !allows(at.permissions, action)),
      ...dataActions.filter((action) => !allowsData(at.permissions, action)),
    ];
    return lacking.length === 0 ? [] : [{ scope: at.scope, role, actions: lacking }];
  });
}

/** The error that Azure would give for one action after the other, given for all of them at once. */
export function notAuthorized(caller: string | undefined, missing: readonly Missing[]): SlipwayError {
  const what = missing.map(
    ({ scope, actions }) => `${actions.map((each) => `'${each}'`).join(', ')} over scope '${scope}'`,
  );
  const roles = missing.map(({ scope, role }) => `${role} on ${scope}`);
  return new SlipwayError(
    'AuthorizationFailed',
    `The client ${caller ?? 'that signs in'} does not have authorization to perform ${what.join('; and ')}`,
    { fix: `Ask for the role ${roles.join('; and ')}. A new grant takes minutes to be seen.` },
  );
}

/**
 * Reads what the caller may do where the deployment will act.
 *
 * @param look at the cluster; when it fails, it is taken for one that is to be created
 * @throws SlipwayError `AuthorizationFailed` with everything that the caller lacks
 */
export async function checkRights(
  azure: AzureConnection,
  input: PreflightInput,
  look: Promise<Cluster | undefined>,
  abortSignal: AbortSignal,
): Promise<void> {
  const { identity, workspace, cluster } = input;
  const { subscriptionId, resourceGroup } = identity;
  const scopes: Partial<Record<RightScope, string>> = {
    workspace: workspace.id,
    'storage account': workspace.storageAccountId,
    registry: workspace.containerRegistryId,
    'resource group': `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}`,
    ...(cluster.existing && { cluster: clusterRef(identity, cluster.name).id }),
  };
  const [found, withAbac, ...granted] = await Promise.all([
    look.catch(() => undefined),
    isRegistryWithAbac(azure, workspace, abortSignal),
    ...Object.entries(scopes).map(async ([on, scope]) => {
      return [on, { scope, permissions: await listPermissions(azure, subscriptionId, scope, abortSignal) }] as const;
    }),
  ]);
  const needed: Record<NonNullable<Right['when']>, boolean> = {
    optional: false,
    'cluster is created': !cluster.existing && found === undefined,
    'cluster exists': cluster.existing,
    'registry with ABAC': withAbac === true,
    'registry without ABAC': withAbac === false,
  };
  const missing = missingRights(Object.fromEntries(granted), ({ when }) => when === undefined || needed[when]);
  const lacking = (await mayPullAlready(azure, input, missing, found, abortSignal))
    ? missing.filter(({ actions }) => !actions.includes(GRANTING_ACTION))
    : missing;
  if (lacking.length > 0) throw notAuthorized(await describeCaller(azure, abortSignal), lacking);
}

/** Undefined for who may not read the registry: that is among the rights itself. */
async function isRegistryWithAbac(
  azure: AzureConnection,
  { containerRegistryId }: Workspace,
  abortSignal: AbortSignal,
): Promise<boolean | undefined> {
  try {
    return await hasRepositoryRights(azure, containerRegistryId, abortSignal);
  } catch (error) {
    if (isForbidden(error)) return undefined;
    throw error;
  }
}

/** A right to pull that someone else granted needs no granting: only who lacks the right to grant has to know. */
async function mayPullAlready(
  azure: AzureConnection,
  { identity, workspace }: PreflightInput,
  missing: readonly Missing[],
  found: Cluster | undefined,
  abortSignal: AbortSignal,
): Promise<boolean> {
  if (found?.kubeletObjectId === undefined) return false;
  if (!missing.some(({ actions }) => actions.includes(GRANTING_ACTION))) return false;
  return isPullGranted(azure, identity, workspace.containerRegistryId, found.kubeletObjectId, abortSignal);
}
