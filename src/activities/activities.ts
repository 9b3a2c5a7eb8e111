import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AzureConnection } from '../azure/connection.js';
import type { DeploymentActivities } from '../deployment/activities.js';
import { createClusterRemovalActivities } from './cluster-removal.js';
import { createClusterActivities } from './cluster.js';
import { createConversionActivities } from './conversion.js';
import { createImageActivities } from './image.js';
import { createLastDeploymentActivities } from './last-deployment.js';
import { createLiveReleaseActivities } from './live-release.js';
import { createModelActivities } from './model.js';
import { createPreflightActivities } from './preflight.js';
import { createRetirementActivities } from './release-retirement.js';
import { createLocationActivities } from './service-location.js';
import { createServiceRemovalActivities } from './service-removal.js';
import { createServiceActivities } from './service.js';
import { createSmokeActivities } from './smoke.js';
import { createSwitchActivities } from './switch.js';
import { createWorkspaceActivities } from './workspace.js';

export interface ActivitiesOptions {
  readonly azure: AzureConnection;
  /** Where caches lie; default: `SLIPWAY_HOME`, or `.slipway` of the working directory. */
  readonly home?: string;
  /** The Python package that conversion jobs run; default: the one that is shipped with Slipway. */
  readonly conversion?: string;
  /** The built scoring runtime; default: the one that is shipped with Slipway. */
  readonly runtime?: string;
}

/** Every activity of a deployment, over one connection to Azure: what a worker registers. */
export function createActivities(options: ActivitiesOptions): DeploymentActivities {
  const {
    azure,
    home = process.env['SLIPWAY_HOME'] ?? '.slipway',
    conversion = shipped('conversion'),
    runtime = shipped('dist/scoring/runtime/app'),
  } = options;
  return {
    ...createWorkspaceActivities(azure),
    ...createPreflightActivities(azure),
    ...createModelActivities(azure),
    ...createConversionActivities(azure, conversion),
    ...createImageActivities(azure, { cache: path.resolve(home, 'cache'), runtime }),
    ...createClusterActivities(azure),
    ...createClusterRemovalActivities(azure),
    ...createLiveReleaseActivities(azure),
    ...createServiceActivities(azure),
    ...createServiceRemovalActivities(azure),
    ...createSmokeActivities(azure),
    ...createSwitchActivities(azure),
    ...createRetirementActivities(azure),
    ...createLocationActivities(azure),
    ...createLastDeploymentActivities(),
  };
}

/** A path in the package: two levels above this file, built or not. */
function shipped(relative: string): string {
  return fileURLToPath(new URL(`../../${relative}`, import.meta.url));
}
