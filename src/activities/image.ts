import path from 'node:path';
import { openBlobStore, parseDatastoreUri } from '../azure/blobs.js';
import type { AzureConnection } from '../azure/connection.js';
import {
  deleteManifest,
  deleteRepository,
  deleteTag,
  findDigest,
  listManifests,
  openRepository,
  pushImage,
  type RegistryRepository,
} from '../azure/registry.js';
import type { Transfer } from '../azure/transfer.js';
import { getWorkspace } from '../azure/workspace.js';
import type { DeploymentActivities, Removal, RemovalInput } from '../deployment/activities.js';
import { spokenShare } from '../deployment/bytes.js';
import { imageRepository, shortDigest } from '../deployment/names.js';
import { keepBuildLog } from './build-log.js';
import { fetchConvertedModel } from './converted-model-files.js';
import { activity, type Attempt } from './failure.js';
import { withHeartbeat } from './heartbeat.js';
import { assembleRelease, releaseDigest } from './release-image.js';
import { removedSoFar, requireAbsence } from './removal.js';

type Activities = Pick<DeploymentActivities, 'pushImage' | 'removeImage'>;

/** A tag that stands for a deployment: the manifest is kept while it has one. */
const DEPLOYMENT_TAG = /^d[a-z2-7]{11}$/;

export interface ImageOptions {
  /** Directory that keeps models and layers by their digests. */
  readonly cache: string;
  /** Directory of the built scoring runtime, with `server.mjs` in it. */
  readonly runtime: string;
}

/** The image step: scoring runtime and converted model become an image in the workspace's registry. */
export function createImageActivities(azure: AzureConnection, { cache, runtime }: ImageOptions): Activities {
  return {
    pushImage: activity(async ({ identity, workspace, scoring, converted, source }, { abortSignal }) =>
      withHeartbeat(async (heartbeat) => {
        const startedAt = new Date();
        heartbeat.enter('downloading the converted model');
        const { datastore } = parseDatastoreUri(converted.url);
        const store = await openBlobStore(azure, workspace, abortSignal, datastore);
        const model = await fetchConvertedModel(store, converted, path.join(cache, 'models'), {
          abortSignal,
          onTransfer: ({ moved, total }) =>
            heartbeat.update(`downloading the converted model, ${spokenShare(moved, total)}`),
        });
        heartbeat.enter('assembling the layers');
        const image = await assembleRelease({ model, runtime, layers: path.join(cache, 'layers') });
        const release = releaseDigest({ source, converted, scoring, image });
        const tag = shortDigest(release);
        const name = imageRepository(identity);
        const repository = await openRepository(azure, workspace.containerRegistryId, name, abortSignal);
        const pushed = { repository: name, tag, digest: image.manifest.digest, releaseDigest: release };
        // A release that is there whole, from this deployment or an earlier one, is taken as it is.
        const isThere = (await findDigest(repository, tag, abortSignal)) === image.manifest.digest;
        heartbeat.enter('pushing');
        // The deployment's own tag goes first: from then on an undo of this deployment finds the manifest.
        const tags = [identity.deploymentId, tag];
        const onTransfer = (transfer: Transfer) => heartbeat.update(pushing(transfer));
        const sent = isThere ? undefined : await pushImage(repository, { ...image, tags }, { abortSignal, onTransfer });
        // Also for what was there: an attempt before may have ended between the push and its log.
        const build = { identity, image: pushed, content: image, source, converted, model, sent, startedAt };
        await keepBuildLog(store, build, abortSignal);
        return pushed;
      }),
    ),

    removeImage: activity(async (input, attempt) => {
      const { identity, scope } = input;
      const { containerRegistryId } = await getWorkspace(azure, identity, attempt.abortSignal);
      const name = imageRepository(identity);
      const repository = await openRepository(azure, containerRegistryId, name, attempt.abortSignal);
      if (scope === 'service') await removeAll(repository, attempt);
      else await removeOfDeployment(repository, identity.deploymentId, attempt);
      requireAbsence(input, 'the image', attempt);
      return { removed: removedSoFar() } satisfies Removal;
    }),
  };
}

/** How far a push is, for people. */
function pushing({ moved, present, total, parts, partsPresent }: Transfer): string {
  const there = partsPresent > 0 ? ` (${partsPresent} of ${parts} blobs were there)` : '';
  return `pushing ${spokenShare(moved + present, total)}${there}`;
}

async function removeAll(repository: RegistryRepository, { abortSignal }: Attempt): Promise<void> {
  const manifests = await listManifests(repository, abortSignal);
  if (manifests.length === 0) return;
  await deleteRepository(repository, abortSignal);
  removedSoFar(manifests.map(({ digest }) => `${repository.name}@${digest}`));
}

/** A manifest goes with its last deployment; while another deployment has it too, only the tag goes. */
async function removeOfDeployment(
  repository: RegistryRepository,
  deploymentId: RemovalInput['identity']['deploymentId'],
  { abortSignal }: Attempt,
): Promise<void> {
  const manifests = await listManifests(repository, abortSignal);
  for (const { digest, tags } of manifests.filter(({ tags }) => tags.includes(deploymentId))) {
    if (tags.some((tag) => tag !== deploymentId && DEPLOYMENT_TAG.test(tag))) {
      await deleteTag(repository, deploymentId, abortSignal);
      removedSoFar([`${repository.name}:${deploymentId}`]);
    } else {
      await deleteManifest(repository, digest, abortSignal);
      removedSoFar([`${repository.name}@${digest}`]);
    }
  }
}
