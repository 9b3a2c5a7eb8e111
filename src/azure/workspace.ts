import type { AzureMachineLearningWorkspaces } from '@azure/arm-machinelearning';
import type { Workspace } from '../deployment/activities.js';
import { SlipwayError } from '../deployment/errors.js';
import type { Identity } from '../deployment/names.js';
import type { AzureConnection } from './connection.js';
import { classify } from './failures.js';

/** The three names of a workspace, as `config.json` has them. */
export type WorkspacePlace = Pick<Identity, 'subscriptionId' | 'resourceGroup' | 'workspaceName'>;

/**
 * Reads the workspace.
 *
 * @throws SlipwayError `WorkspaceNotFound`; `WorkspaceWithoutStorage` or `WorkspaceWithoutRegistry`: a deployment needs both
 */
export async function getWorkspace(
  azure: AzureConnection,
  place: WorkspacePlace,
  abortSignal: AbortSignal,
): Promise<Workspace> {
  const { subscriptionId, resourceGroup, workspaceName } = place;
  const client = azure.machineLearning(subscriptionId);
  const found = await client.workspaces.get(resourceGroup, workspaceName, { abortSignal }).catch((cause: unknown) => {
    // A subscription or group that is not there has a code of its own.
    if (classify(cause).code !== 'ResourceNotFound') throw cause;
    throw new SlipwayError('WorkspaceNotFound', `Resource group ${resourceGroup} has no workspace ${workspaceName}`, {
      fix: 'Correct workspace_name or resource_group in config.json.',
      cause,
    });
  });
  const { storageAccount, containerRegistry } = found;
  if (!storageAccount) {
    throw new SlipwayError('WorkspaceWithoutStorage', `Workspace ${workspaceName} has no storage account`, {
      fix: 'Create a workspace with one: the storage account of a workspace cannot be added later.',
    });
  }
  if (!containerRegistry) {
    throw new SlipwayError('WorkspaceWithoutRegistry', `Workspace ${workspaceName} has no container registry`, {
      fix: `Attach one: az ml workspace update --name ${workspaceName} --resource-group ${resourceGroup} --container-registry ID --update-dependent-resources`,
    });
  }
  return {
    id: found.id ?? workspaceId(place),
    name: found.name ?? workspaceName,
    resourceGroup,
    subscriptionId,
    region: found.location ?? '',
    storageAccountId: storageAccount,
    containerRegistryId: containerRegistry,
  };
}

/** The client and the two path segments that every call about a workspace begins with. */
export function inWorkspace(
  azure: AzureConnection,
  { subscriptionId, resourceGroup, workspaceName }: WorkspacePlace,
): { client: AzureMachineLearningWorkspaces; place: [resourceGroup: string, workspaceName: string] } {
  return { client: azure.machineLearning(subscriptionId), place: [resourceGroup, workspaceName] };
}

/** ARM id of a workspace. */
export function workspaceId({ subscriptionId, resourceGroup, workspaceName }: WorkspacePlace): string {
  return `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.MachineLearningServices/workspaces/${workspaceName}`;
}

/** Subscription, resource group and name in the ARM id of a top-level resource; it may lie in another group than the workspace. */
export function parseResourceId(id: string): { subscriptionId: string; resourceGroup: string; name: string } {
  const match = /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/providers\/[^/]+\/[^/]+\/([^/]+)$/i.exec(id);
  const [, subscriptionId, resourceGroup, name] = match ?? [];
  if (!subscriptionId || !resourceGroup || !name) throw new SlipwayError('InvalidResourceId', `${id} is not an ARM id`);
  return { subscriptionId, resourceGroup, name };
}

/** Names of the computes of a workspace, on which jobs run. */
export async function listComputes(
  azure: AzureConnection,
  workspace: WorkspacePlace,
  abortSignal: AbortSignal,
): Promise<string[]> {
  const { client, place } = inWorkspace(azure, workspace);
  const names: string[] = [];
  for await (const { name } of client.computeOperations.list(...place, { abortSignal })) {
    if (name !== undefined) names.push(name);
  }
  return names;
}
