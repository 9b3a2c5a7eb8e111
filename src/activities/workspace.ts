import type { AzureConnection } from '../azure/connection.js';
import { getWorkspace } from '../azure/workspace.js';
import type { DeploymentActivities } from '../deployment/activities.js';
import { activity } from './failure.js';

/** The workspace step. */
export function createWorkspaceActivities(azure: AzureConnection): Pick<DeploymentActivities, 'getWorkspace'> {
  return {
    getWorkspace: activity(({ identity }, { abortSignal }) => getWorkspace(azure, identity, abortSignal)),
  };
}
