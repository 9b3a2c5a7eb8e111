import { isCancellation } from '@temporalio/workflow';
import type { DeploymentActivities, LiveRelease, SmokeInput } from '../deployment/activities.js';
import type { ProgressTable } from './progress.js';

/**
 * Finds the release live already, whole, and answering as its SavedModel did: the steps that would place it, score it and
 * switch to it are then skipped. Whatever speaks against it, an error included, is left to those steps to mend or to report.
 */
export function findLive(
  activities: DeploymentActivities,
  progress: ProgressTable,
  input: SmokeInput & { keepReleases: number },
): Promise<LiveRelease | undefined> {
  const look = async (): Promise<LiveRelease | undefined> => {
    try {
      return (await activities.checkLive(input)) ?? undefined;
    } catch (error) {
      if (isCancellation(error)) throw error;
      return undefined;
    }
  };
  return progress.skipIf('service', look, {
    service: () => `release ${input.image.tag} is live`,
    smoke: ({ scores }) => `${scores.length} photos agree with the SavedModel, through the public address`,
    switch: ({ address }) => address,
  });
}
