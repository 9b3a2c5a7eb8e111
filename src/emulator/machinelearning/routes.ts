/** Where every workspace is. */
export const workspacesPath =
  '/subscriptions/:subscriptionId/resourceGroups/:resourceGroup/providers/Microsoft.MachineLearningServices/workspaces';

export const workspacePath = `${workspacesPath}/:workspace`;

export interface WorkspaceParams {
  subscriptionId: string;
  resourceGroup: string;
  workspace: string;
}

export const workspaceType = 'Microsoft.MachineLearningServices/workspaces';

/** When something was made and changed, as Azure has it in every body. */
export function systemData(createdAt: string, lastModifiedAt = createdAt): Record<string, string> {
  return { createdAt, createdByType: 'Application', lastModifiedAt, lastModifiedByType: 'Application' };
}
