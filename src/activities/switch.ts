import type { AzureConnection } from '../azure/connection.js';
import {
  publicAddress,
  readPublicService,
  selectedRelease,
  switchPublicService,
} from '../azure/kubernetes/public-service.js';
import { readyPod } from '../azure/kubernetes/releases.js';
import type { DeploymentActivities } from '../deployment/activities.js';
import { SlipwayError } from '../deployment/errors.js';
import { shortDigest } from '../deployment/names.js';
import { spokenAge } from './age.js';
import { connectTo, nextLook } from './cluster-access.js';
import { activity, stillRunning } from './failure.js';

type Activities = Pick<DeploymentActivities, 'beginSwitch' | 'awaitSwitch'>;

/** The switch step: the public Service selects the release, and has an address. */
export function createSwitchActivities(azure: AzureConnection): Activities {
  return {
    beginSwitch: activity(async (input, { abortSignal }) => {
      await switchPublicService(await connectTo(azure, input, abortSignal), input);
    }),

    awaitSwitch: activity(async (input, attempt) => {
      const { service } = input.identity;
      const kubernetes = await connectTo(azure, input, attempt.abortSignal);
      const found = await readPublicService(kubernetes, service);
      const selected = found && selectedRelease(found);
      if (found === undefined || selected !== shortDigest(input.image.releaseDigest)) {
        throw new SlipwayError(
          'SwitchedAway',
          `Service ${service} was pointed at ${selected ?? 'nothing'} by someone else during the switch`,
        );
      }
      const wait = (what: string) => stillRunning(`${what}, ${spokenAge(attempt.ageSeconds)}`, nextLook(attempt));
      const address = publicAddress(found);
      if (address === undefined) throw wait(`Service ${service} has no public address yet`);
      if ((await readyPod(kubernetes, input)) === undefined)
        throw wait(`No pod of the release is ready behind ${address}`);
      return { address };
    }),
  };
}
