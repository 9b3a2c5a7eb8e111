import { createHash } from 'node:crypto';
import type { RoleAssignment } from '@azure/arm-authorization';
import type { Identity } from '../deployment/names.js';
import { isOfService, ownershipMark } from '../deployment/names.js';
import type { AzureConnection } from './connection.js';
import { classify, isNotFound } from './failures.js';
import { parseResourceId } from './workspace.js';

/** Azure's built-in roles that let an identity pull, by the registry's way of assigning rights. */
const PULL_ROLES = {
  /** `AcrPull`. */
  registry: '7f951dda-4ed3-4680-a7ca-43fe172d538d',
  /** `Container Registry Repository Reader`: a registry in ABAC mode does not honour `AcrPull`. */
  repository: 'b93aa761-3e63-49ed-ac28-beffa264f7ac',
} as const;

/** Namespace of the assignments' names (RFC 9562, version 5): any fixed UUID that is used for nothing else. */
const NAMESPACE = '6f1d3c1e-5a0f-4b1e-9f57-0c2d9a7f6b10';

/** A right to pull that carries the mark of this service. */
export interface PullGrant {
  readonly id: string;
  /** GUID of the assignment. */
  readonly name: string;
  readonly owner: string;
}

/**
 * Lets an identity pull from a registry, unless it may already. The assignment's name derives from registry, identity and
 * service, so that a repeat is the same assignment. One that exists and is not ours (409 RoleAssignmentExists) is as good.
 *
 * @param registryId ARM id of the registry: the scope
 * @param principalId object id of the kubelet identity
 */
export async function grantPull(
  azure: AzureConnection,
  identity: Identity,
  registryId: string,
  principalId: string,
  abortSignal: AbortSignal,
): Promise<void> {
  const role = await pullRole(azure, registryId, abortSignal);
  if (await mayPull(azure, identity, registryId, principalId, role, abortSignal)) return;
  const roleDefinitionId = `/subscriptions/${identity.subscriptionId}/providers/Microsoft.Authorization/roleDefinitions/${role}`;
  try {
    await azure.authorization(identity.subscriptionId).roleAssignments.create(
      registryId,
      assignmentName(registryId, principalId, identity.uid),
      {
        roleDefinitionId,
        principalId,
        // Without it, a principal that was made seconds ago is looked up in the directory, and not found.
        principalType: 'ServicePrincipal',
        description: ownershipMark(identity),
      },
      { abortSignal },
    );
  } catch (error) {
    if (classify(error).code !== 'RoleAssignmentExists') throw error;
  }
}

/** The rights to pull from a registry that deployments of this service granted: mark and name both say so. */
export async function findPullGrants(
  azure: AzureConnection,
  identity: Identity,
  registryId: string,
  abortSignal: AbortSignal,
): Promise<PullGrant[]> {
  const grants: PullGrant[] = [];
  const { roleAssignments } = azure.authorization(identity.subscriptionId);
  for await (const found of roleAssignments.listForScope(registryId, { filter: 'atScope()', abortSignal })) {
    const { id, name, description, principalId } = found;
    if (id === undefined || principalId === undefined || description === undefined) continue;
    if (!isOfService(description, identity)) continue;
    if (name !== assignmentName(registryId, principalId, identity.uid)) continue;
    grants.push({ id, name, owner: description });
  }
  return grants;
}

/** Takes a right to pull away; one that is not there is taken away. */
export async function revokePull(
  azure: AzureConnection,
  identity: Identity,
  registryId: string,
  grant: PullGrant,
  abortSignal: AbortSignal,
): Promise<void> {
  try {
    await azure.authorization(identity.subscriptionId).roleAssignments.delete(registryId, grant.name, { abortSignal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** Name (GUID) of the assignment that lets an identity pull for a service. ARM ids have no case. */
export function assignmentName(registryId: string, principalId: string, uid: string): string {
  return uuidV5(NAMESPACE, [registryId, principalId, uid].join('/').toLowerCase());
}

async function pullRole(azure: AzureConnection, registryId: string, abortSignal: AbortSignal): Promise<string> {
  return (await hasRepositoryRights(azure, registryId, abortSignal)) ? PULL_ROLES.repository : PULL_ROLES.registry;
}

/** Whether a registry is in ABAC mode, where rights are on repositories and those of other roles do not count. */
export async function hasRepositoryRights(
  azure: AzureConnection,
  registryId: string,
  abortSignal: AbortSignal,
): Promise<boolean> {
  const { subscriptionId, resourceGroup, name } = parseResourceId(registryId);
  const registry = await azure.containerRegistry(subscriptionId).registries.get(resourceGroup, name, { abortSignal });
  return registry.roleAssignmentMode === 'AbacRepositoryPermissions';
}

/** Whether an identity may pull from a registry already, whoever let it. */
export async function isPullGranted(
  azure: AzureConnection,
  identity: Identity,
  registryId: string,
  principalId: string,
  abortSignal: AbortSignal,
): Promise<boolean> {
  const role = await pullRole(azure, registryId, abortSignal);
  return mayPull(azure, identity, registryId, principalId, role, abortSignal);
}

/** Whether the role is assigned at the registry or above it, by whomever. */
async function mayPull(
  azure: AzureConnection,
  identity: Identity,
  registryId: string,
  principalId: string,
  role: string,
  abortSignal: AbortSignal,
): Promise<boolean> {
  const { roleAssignments } = azure.authorization(identity.subscriptionId);
  // This filter also gives assignments below the scope: `gives` leaves them out.
  const filter = `principalId eq '${principalId}'`;
  for await (const found of roleAssignments.listForScope(registryId, { filter, abortSignal })) {
    if (gives(found, registryId, principalId, role)) return true;
  }
  return false;
}

function gives(found: RoleAssignment, registryId: string, principalId: string, role: string): boolean {
  const at = found.scope?.toLowerCase().replace(/\/+$/, '');
  return (
    found.principalId?.toLowerCase() === principalId.toLowerCase() &&
    found.roleDefinitionId?.toLowerCase().endsWith(`/${role}`) === true &&
    // A condition may leave out our repository; Azure answers null where there is none.
    !found.condition &&
    at !== undefined &&
    `${registryId.toLowerCase()}/`.startsWith(`${at}/`)
  );
}

/** RFC 9562, section 5.5. */
function uuidV5(namespace: string, name: string): string {
  const bytes = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name)
    .digest()
    .subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
