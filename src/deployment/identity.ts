import { createHash, randomBytes } from 'node:crypto';
import { DEPLOYMENT_ID_BYTES, deploymentIdOf, type Identity } from './names.js';

/** Characters of the service uid; 48 bits keep two services of a subscription apart. */
const UID_LENGTH = 12;

/** The identity of a service, and of a new or given deployment of it. */
export function identify(place: Omit<Identity, 'uid' | 'deploymentId'>, deploymentId = newDeploymentId()): Identity {
  const text = [place.subscriptionId, place.resourceGroup, place.workspaceName, place.service].join('/').toLowerCase();
  const uid = createHash('sha256').update(text).digest('hex').slice(0, UID_LENGTH);
  return { ...place, uid, deploymentId };
}

/** A fresh deployment id. */
export function newDeploymentId(): string {
  return deploymentIdOf([...randomBytes(DEPLOYMENT_ID_BYTES)]);
}
