import type { AzureConnection } from '../azure/connection.js';
import type { Kubernetes } from '../azure/kubernetes/connection.js';
import { ownerOf } from '../azure/kubernetes/objects.js';
import {
  divideRecords,
  readPublicService,
  releaseRecords,
  replacePublicService,
  selectedRelease,
  withRecords,
  type ReleaseRecord,
} from '../azure/kubernetes/public-service.js';
import { deleteObject, serviceObjects, type ServiceObject } from '../azure/kubernetes/releases.js';
import { deleteModelVersion, listModelVersions } from '../azure/models.js';
import { deleteManifest, openRepository } from '../azure/registry.js';
import type { DeploymentActivities, ReleaseInput, Workspace } from '../deployment/activities.js';
import { imageRepository, isOfService, shortDigest, type Identity } from '../deployment/names.js';
import { spokenAge } from './age.js';
import { connectTo, nextLook } from './cluster-access.js';
import { activity, stillRunning, type Attempt } from './failure.js';
import { removedSoFar } from './removal.js';

type Activities = Pick<DeploymentActivities, 'retireReleases'>;

/** The end of a redeploy: what the public Service no longer selects drains and goes. */
export function createRetirementActivities(azure: AzureConnection): Activities {
  return {
    retireReleases: activity(async (input, attempt) => {
      const { identity, workspace, keepReleases } = input;
      const kubernetes = await connectTo(azure, input, attempt.abortSignal);
      const service = await readPublicService(kubernetes, identity.service);
      const live = service && selectedRelease(service);
      // What is live decides what is old; when that is another release, this deployment has nothing to say about it.
      if (service === undefined || live !== shortDigest(input.image.releaseDigest)) return { retired: [] };

      await removeOldReleases(kubernetes, { identity, live, drainSeconds: drainSeconds(input) }, attempt);

      const { kept, dropped } = divideRecords(releaseRecords(service), keepReleases);
      if (dropped.length > 0) {
        await removeParts(azure, { identity, workspace, kept, dropped }, attempt);
        // Last: until then, another attempt still knows what to remove.
        await replacePublicService(kubernetes, withRecords(service, kept));
      }
      return { retired: removedSoFar() };
    }),
  };
}

/** gRPC servers end connections up to a tenth later than told, so that not all clients come back at once. */
const CONNECTION_AGE_JITTER = 1.1;

/** How long connections may stay with the pods that they have: HTTP/2 connections do not follow a Service's selector. */
function drainSeconds({ scoring }: Pick<ReleaseInput, 'scoring'>): number {
  return scoring.connectionAgeSeconds * CONNECTION_AGE_JITTER;
}

interface Live {
  readonly identity: Identity;
  /** Short digest of the release that stays. */
  readonly live: string;
  /** How long the others serve on after the switch, which was when this activity was scheduled. */
  readonly drainSeconds: number;
}

/** Deletes the objects of every release but the live one, once their connections have ended; their pods then have their grace. */
async function removeOldReleases(
  kubernetes: Kubernetes,
  { identity, live, drainSeconds }: Live,
  attempt: Attempt,
): Promise<void> {
  const old = objectsToRetire(await serviceObjects(kubernetes, identity), identity, live);
  const releases = [...new Set(old.map(({ name }) => name))];
  if (releases.length === 0) return;
  const names = releases.join(', ');
  const secondsLeft = drainSeconds - attempt.ageSeconds;
  if (secondsLeft > 0) {
    const message = `${names} serves its connections for ${Math.ceil(secondsLeft)} s more`;
    throw stillRunning(message, { ...nextLook(attempt), resource: names });
  }
  for (const object of old) await deleteObject(kubernetes, object);
  removedSoFar(releases);
  throw stillRunning(`Draining ${names}, ${spokenAge(attempt.ageSeconds)}`, { ...nextLook(attempt), resource: names });
}

/** Objects of this service's releases other than the live one. */
export function objectsToRetire(objects: readonly ServiceObject[], identity: Identity, live: string): ServiceObject[] {
  return objects.filter(
    (object) => object.release !== undefined && object.release !== live && isOfService(ownerOf(object), identity),
  );
}

interface Parts {
  readonly identity: Identity;
  readonly workspace: Workspace;
  readonly kept: readonly ReleaseRecord[];
  readonly dropped: readonly ReleaseRecord[];
}

/** Removes images and models of dropped releases that no kept release is made of, in the rank of an undo. */
async function removeParts(
  azure: AzureConnection,
  { identity, workspace, kept, dropped }: Parts,
  { abortSignal }: Attempt,
): Promise<void> {
  const only = (part: 'imageDigest' | 'source' | 'converted') => {
    const needed = new Set(kept.map((record) => record[part]));
    return [...new Set(dropped.map((record) => record[part]))].filter((value) => !needed.has(value));
  };
  const registryId = workspace.containerRegistryId;
  const repository = await openRepository(azure, registryId, imageRepository(identity), abortSignal);
  for (const digest of only('imageDigest')) await deleteManifest(repository, digest, abortSignal);
  for (const model of [...only('source'), ...only('converted')]) {
    await removeModel(azure, identity, model, abortSignal);
  }
}

/** Removes a model version when it is ours: a release may have been made from a model that someone else registered. */
async function removeModel(
  azure: AzureConnection,
  identity: Identity,
  nameAndVersion: string,
  abortSignal: AbortSignal,
): Promise<void> {
  const [name = '', version] = nameAndVersion.split(':');
  const versions = await listModelVersions(azure, identity, name, abortSignal);
  const found = versions.find((candidate) => candidate.version === version);
  if (found === undefined || !isOfService(found.owner, identity)) return;
  await deleteModelVersion(azure, identity, name, found.version, abortSignal);
}
