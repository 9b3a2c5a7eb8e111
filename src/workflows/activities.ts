import { ActivityFailure, scheduleActivity } from '@temporalio/workflow';
import type { DeploymentActivities } from '../deployment/activities.js';
import { budgetSpent, isStillWaiting } from './failure.js';
import type { Profile } from './timeouts.js';
import { LAST_LOOK, profile } from './timeouts.js';

type Name = keyof DeploymentActivities;

/** What Temporal's UI shows beside each activity, and the timeouts it runs under. */
const ACTIVITIES: Record<Name, { profile: Profile; summary: string }> = {
  getWorkspace: { profile: 'call', summary: 'Read the workspace' },
  preflight: { profile: 'preflight', summary: 'Check what the deployment needs' },
  registerModel: { profile: 'begin', summary: 'Register the source model' },
  beginConversion: { profile: 'begin', summary: 'Submit the conversion job' },
  awaitConversion: { profile: 'conversion', summary: 'Wait for the conversion job' },
  registerConvertedModel: { profile: 'begin', summary: 'Register the converted model' },
  pushImage: { profile: 'push', summary: 'Assemble and push the image' },
  beginCluster: { profile: 'begin', summary: 'Create or adopt the AKS cluster' },
  awaitCluster: { profile: 'cluster', summary: 'Wait for the AKS cluster' },
  grantPull: { profile: 'begin', summary: 'Let the cluster pull from the registry' },
  checkLive: { profile: 'check', summary: 'See whether the release is live already' },
  beginRelease: { profile: 'begin', summary: 'Create the release in the cluster' },
  awaitRelease: { profile: 'release', summary: 'Wait for the release to be ready' },
  smokeScore: { profile: 'call', summary: 'Score the release before it is live' },
  beginSwitch: { profile: 'begin', summary: 'Point the public Service at the release' },
  awaitSwitch: { profile: 'address', summary: 'Wait for the public address' },
  scorePublic: { profile: 'call', summary: 'Score through the public address' },
  retireReleases: { profile: 'retire', summary: 'Drain and remove older releases' },
  removeService: { profile: 'removal', summary: 'Remove the release and its Services' },
  removeRoleAssignment: { profile: 'removal', summary: 'Remove the right to pull' },
  removeImage: { profile: 'removal', summary: 'Remove the image' },
  removeRegisteredModel: { profile: 'removal', summary: 'Remove the source model' },
  removeConvertedModel: { profile: 'removal', summary: 'Remove the converted model' },
  removeJob: { profile: 'removal', summary: 'Cancel and remove the conversion job' },
  removeCluster: { profile: 'removal', summary: 'Delete the AKS cluster' },
  findLastDeployment: { profile: 'call', summary: 'Find what is live' },
  findLatestModel: { profile: 'call', summary: 'Find the latest version of the source model' },
  findService: { profile: 'call', summary: 'Find what the service consists of' },
};

/** Profiles whose activities wait by retrying: when their budget ends, one last look decides. */
const WAITS: ReadonlySet<Profile> = new Set(['conversion', 'cluster', 'release', 'address', 'retire', 'removal']);

/** The activities as the workflows call them: with their timeouts, their summary in the UI, and the last look of a wait. */
export function activitiesWith(patienceMinutes: number): DeploymentActivities {
  const call = (name: Name) => (input: unknown) => execute(name, input, patienceMinutes);
  // The mapped object has exactly the interface's keys; TypeScript cannot see that through fromEntries.
  return Object.fromEntries(
    Object.keys(ACTIVITIES).map((name) => [name, call(name as Name)]),
  ) as unknown as DeploymentActivities;
}

async function execute(name: Name, input: unknown, patienceMinutes: number): Promise<unknown> {
  const { profile: profileName, summary } = ACTIVITIES[name];
  try {
    return await scheduleActivity(name, [input], { ...profile(profileName, patienceMinutes), summary });
  } catch (error) {
    if (!isOutOfTime(error)) throw error;
    if (!WAITS.has(profileName)) throw isStillWaiting(error) ? budgetSpent(summary, error) : error;
  }
  try {
    return await scheduleActivity(name, [input], { ...LAST_LOOK, summary: `${summary} (last look)` });
  } catch (error) {
    throw budgetSpent(summary, error);
  }
}

function isOutOfTime(error: unknown): boolean {
  return error instanceof ActivityFailure && error.retryState === 'TIMEOUT';
}
