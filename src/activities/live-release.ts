import type { AzureConnection } from '../azure/connection.js';
import { isGoing, ownerOf } from '../azure/kubernetes/objects.js';
import {
  divideRecords,
  publicAddress,
  readPublicService,
  releaseRecords,
  selectedRelease,
} from '../azure/kubernetes/public-service.js';
import { readDeployment, serviceObjects, type ServiceObject } from '../azure/kubernetes/releases.js';
import type { DeploymentActivities, ReleaseInput } from '../deployment/activities.js';
import { isOfService, releaseName, shortDigest } from '../deployment/names.js';
import { connectTo } from './cluster-access.js';
import { activity } from './failure.js';
import { objectsToRetire } from './release-retirement.js';
import { isReady } from './service.js';
import { scoreFromOutside } from './smoke.js';

type Activities = Pick<DeploymentActivities, 'checkLive'>;

/** The look that a repeated deployment ends with: its release is live already, and nothing would be changed. */
export function createLiveReleaseActivities(azure: AzureConnection): Activities {
  return {
    checkLive: activity(async (input, attempt) => {
      const { identity, image, keepReleases } = input;
      const live = shortDigest(image.releaseDigest);
      const kubernetes = await connectTo(azure, input, attempt.abortSignal);
      const [service, deployment, objects] = await Promise.all([
        readPublicService(kubernetes, identity.service),
        readDeployment(kubernetes, releaseName(identity.service, image.releaseDigest)),
        serviceObjects(kubernetes, identity),
      ]);
      if (service === undefined || selectedRelease(service) !== live) return null;
      if (deployment === undefined || !isReady(deployment) || !isWhole(objects, input)) return null;
      const isLeftover = objectsToRetire(objects, identity, live).length > 0;
      if (isLeftover || divideRecords(releaseRecords(service), keepReleases).dropped.length > 0) return null;
      const address = publicAddress(service);
      if (address === undefined) return null;
      // One connection: there was no switch that some nodes may not have seen yet.
      return {
        address,
        scores: await scoreFromOutside(azure, kubernetes, { ...input, address, connections: 1 }, attempt),
      };
    }),
  };
}

/** Whether every object of a live release is there and this service's, the public Service included. */
function isWhole(objects: readonly ServiceObject[], { identity, image, scoring }: ReleaseInput): boolean {
  const name = releaseName(identity.service, image.releaseDigest);
  const wanted = [
    `Service ${identity.service}`,
    `Service ${name}`,
    `Deployment ${name}`,
    ...(scoring.auth === 'key' ? [`Secret ${name}`] : []),
  ];
  const ours = objects.filter((object) => isOfService(ownerOf(object), identity) && !isGoing(object));
  return wanted.every((object) => ours.some(({ kind, name }) => `${kind} ${name}` === object));
}
