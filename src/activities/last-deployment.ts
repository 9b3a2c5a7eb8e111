import { getClient } from '@temporalio/activity';
import type { DeploymentActivities } from '../deployment/activities.js';
import { findLastDeployment } from '../deployment/last-deployment.js';
import { activity } from './failure.js';

type Activities = Pick<DeploymentActivities, 'findLastDeployment'>;

/** What a redeploy asks of Temporal itself: workflows cannot. */
export function createLastDeploymentActivities(): Activities {
  return { findLastDeployment: activity(({ identity }) => findLastDeployment(getClient(), identity)) };
}
