import type { DeploymentActivities, Preflight, PreflightInput, Workspace } from '../deployment/activities.js';

/** The workspace step: it is read, and whatever would make the deployment fail later is found while nothing is begun. */
export async function examine(
  activities: DeploymentActivities,
  { identity, model, settings, cluster, scoring, patienceMinutes }: Omit<PreflightInput, 'workspace'>,
): Promise<{ workspace: Workspace } & Preflight> {
  const workspace = await activities.getWorkspace({ identity });
  const { unchecked } = await activities.preflight({
    identity,
    workspace,
    model,
    settings,
    cluster,
    scoring,
    patienceMinutes,
  });
  return { workspace, unchecked };
}
