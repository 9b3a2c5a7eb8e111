import type { DeploymentActivities, Release, ReleaseInput, Score, SmokeInput } from '../deployment/activities.js';
import type { Saga } from './saga.js';

/** The service step: the release is created in the cluster, beside what is live, and has checked itself. */
export async function placeRelease(
  activities: DeploymentActivities,
  saga: Saga,
  input: ReleaseInput,
): Promise<Release> {
  const release = await saga.doing('service', () => activities.beginRelease(input));
  await activities.awaitRelease(input);
  return release;
}

/** The switch step: the public Service selects the release, and its address has been scored from outside. */
export async function switchToRelease(
  activities: DeploymentActivities,
  saga: Saga,
  input: SmokeInput,
): Promise<{ address: string; scores: readonly Score[] }> {
  await saga.doing('service', () => activities.beginSwitch(input));
  const { address } = await activities.awaitSwitch(input);
  return { address, scores: await activities.scorePublic({ ...input, address }) };
}
