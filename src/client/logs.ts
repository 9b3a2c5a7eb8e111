import { blobPath, openBlobStore, readBlob } from '../azure/blobs.js';
import { readPodLogs, type PodLog, type PodLogOptions } from '../azure/kubernetes/pod-logs.js';
import { findDigest, listManifests, openRepository } from '../azure/registry.js';
import { getWorkspace } from '../azure/workspace.js';
import type { Digest } from '../deployment/digests.js';
import { SlipwayError } from '../deployment/errors.js';
import { identify } from '../deployment/identity.js';
import { imageRepository, shortDigest, type Identity } from '../deployment/names.js';
import { asking } from './azure-failures.js';
import { AZURE_TIMEOUT_MS } from './limits.js';
import { openServiceCluster } from './releases.js';
import type { WorkspaceAccess } from './workspace-access.js';

/** How an image was built. */
export interface ImageLog {
  readonly service: string;
  /** Digest of the image. */
  readonly image: string;
  /** Plain address of the blob. */
  readonly address: string;
  readonly text: string;
}

/** What the pods of the live release have printed. */
export interface ServiceLog {
  readonly service: string;
  /** Short digest. */
  readonly release: string;
  readonly pods: readonly PodLog[];
}

/**
 * The build log of an image.
 *
 * @param release its release's digest, whole or short; the live one by default
 * @throws SlipwayError `NotLive`, `ReleaseNotFound`, `NoBuildLog`
 */
export async function readImageLog(
  access: WorkspaceAccess,
  service: string,
  release: string | undefined,
): Promise<ImageLog> {
  const { azure, place } = access;
  const identity = identify({ ...place, service });
  const abortSignal = AbortSignal.timeout(AZURE_TIMEOUT_MS);
  return asking(async () => {
    const workspace = await getWorkspace(azure, place, abortSignal);
    const wanted = release ?? (await openServiceCluster(azure, place, service, abortSignal)).live;
    const image = await findImage(access, identity, workspace.containerRegistryId, wanted);
    const store = await openBlobStore(azure, workspace, abortSignal);
    const path = blobPath.buildLog(image, identity);
    const text = await readBlob(store, path, abortSignal);
    if (text === undefined) {
      throw new SlipwayError('NoBuildLog', `The workspace's blob store has no build log of image ${image}`, {
        fix: 'It was removed, or the image was pushed by an older Slipway.',
      });
    }
    return { service, image, address: store.container.getBlobClient(path).url, text: text.toString('utf8') };
  });
}

/** Digest of a release's image. @throws SlipwayError `ReleaseNotFound` */
async function findImage(
  { azure }: WorkspaceAccess,
  identity: Identity,
  registryId: string,
  release: string,
): Promise<Digest> {
  const abortSignal = AbortSignal.timeout(AZURE_TIMEOUT_MS);
  const repository = await openRepository(azure, registryId, imageRepository(identity), abortSignal);
  const digest = await findDigest(repository, shortDigest(release), abortSignal);
  // The registry's digests are of that form.
  if (digest !== undefined) return digest as Digest;
  const tags = (await listManifests(repository, abortSignal)).flatMap((manifest) => manifest.tags);
  const others = tags.length === 0 ? 'There is no image of it at all.' : `There are: ${tags.join(', ')}.`;
  throw new SlipwayError('ReleaseNotFound', `${identity.service} has no image of release ${release}. ${others}`, {
    fix: `\`slipway images --service ${identity.service}\` lists them.`,
  });
}

/**
 * What the pods of the live release have printed.
 *
 * @throws SlipwayError `NotLive`, `NoPods`, `NoPodLog`
 */
export async function readServiceLog(
  { azure, place }: WorkspaceAccess,
  service: string,
  options: PodLogOptions,
): Promise<ServiceLog> {
  const abortSignal = AbortSignal.timeout(AZURE_TIMEOUT_MS);
  return asking(async () => {
    const { kubernetes, live } = await openServiceCluster(azure, place, service, abortSignal);
    return { service, release: live, pods: await readPodLogs(kubernetes, service, live, options) };
  });
}
