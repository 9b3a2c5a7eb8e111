import { CancellationScope } from '@temporalio/workflow';
import type { DeploymentActivities, ReleaseInput } from '../deployment/activities.js';
import { detailOf } from './failure.js';
import type { ProgressTable } from './progress.js';

/**
 * Drains and removes the releases that the public Service no longer selects. The new release serves already, so a failure
 * here does not end the deployment: what is left of the old is residue. A cancellation comes too late.
 */
export async function retire(
  activities: DeploymentActivities,
  progress: ProgressTable,
  input: ReleaseInput & { keepReleases: number },
): Promise<void> {
  try {
    await CancellationScope.nonCancellable(() => activities.retireReleases(input));
  } catch (error) {
    const { code, message, resource } = detailOf(error);
    progress.leave(
      'service',
      [resource ?? input.identity.service],
      `an older release was not removed: ${code}: ${message}`,
    );
  }
}
