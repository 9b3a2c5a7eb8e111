import pLimit from 'p-limit';
import { blobPath, findBlobUrl, openBlobStore, type BlobStore } from '../azure/blobs.js';
import { getLoginServer, listManifests, repositoryAt, type TaggedManifest } from '../azure/registry.js';
import { getWorkspace } from '../azure/workspace.js';
import type { Digest } from '../deployment/digests.js';
import { identify } from '../deployment/identity.js';
import { imageRepository, type Identity } from '../deployment/names.js';
import { asking } from './azure-failures.js';
import { listChanges, type Change } from './changes.js';
import { AZURE_TIMEOUT_MS, PARALLEL_READS } from './limits.js';
import { listReleases, type ServiceReleases } from './releases.js';
import type { WorkspaceAccess } from './workspace-access.js';

/**
 * What an image is for now. `live`: the public Service selects its release. `kept`: its release was live and is kept for a
 * rollback. `deploying`: the change that runs made it. `unused`: none of these. `unknown`: the cluster could not be asked.
 */
export type ImageState = 'live' | 'kept' | 'deploying' | 'unused' | 'unknown';

/** A release's image. An image that several releases have in common is there once for each. */
export interface ListedImage {
  readonly service: string;
  /** Short digest of the release; absent for an image whose push did not get that far. */
  readonly tag?: string;
  /** `name:version` of the registered model in it; absent until the release has been live. */
  readonly version?: string;
  readonly state: ImageState;
  /** What `docker pull` takes. */
  readonly location: string;
  readonly digest: string;
  /** Plain address of the blob that tells how it was built; reading it takes a right on the workspace's storage. */
  readonly buildLog?: string;
  readonly createdAt: Date;
  readonly bytes?: number;
  /** Deployments that pushed it, or would have. */
  readonly deployments: readonly string[];
  /** Why the state is not known. */
  readonly problem?: string;
}

export interface ImageFilter {
  readonly service?: string;
  /** Short digest of a release, or id of a deployment. */
  readonly tag?: string;
}

/** Tag of a release; a deployment's own begins with `d` and has letters that are no hexadecimal digits. */
const RELEASE_TAG = /^[0-9a-f]{12}$/;

/** What the images of every service are read with. */
interface Search {
  readonly access: WorkspaceAccess;
  readonly store: BlobStore;
  readonly loginServer: string;
  readonly abortSignal: AbortSignal;
}

/** The images of a workspace's services: by service, newest first. */
export async function listImages(access: WorkspaceAccess, { service, tag }: ImageFilter = {}): Promise<ListedImage[]> {
  const { azure, place } = access;
  const abortSignal = AbortSignal.timeout(AZURE_TIMEOUT_MS);
  const changes = await listChanges(access.temporal, place);
  const limit = pLimit(PARALLEL_READS);
  return asking(async () => {
    const [workspace, known] = await Promise.all([
      getWorkspace(azure, place, abortSignal),
      listReleases(azure, place, abortSignal),
    ]);
    const [store, loginServer] = await Promise.all([
      openBlobStore(azure, workspace, abortSignal),
      getLoginServer(azure, workspace.containerRegistryId, abortSignal),
    ]);
    const search = { access, store, loginServer, abortSignal };
    const images = servicesIn(known, changes)
      .filter((each) => service === undefined || each.service === service)
      .map((releases) => limit(() => imagesOfService(search, releases, runningDeployment(releases.service, changes))));
    const found = (await Promise.all(images)).flat();
    return found.filter((image) => tag === undefined || image.tag === tag || image.deployments.includes(tag));
  });
}

async function imagesOfService(
  { access, store, loginServer, abortSignal }: Search,
  releases: ServiceReleases,
  running: string | undefined,
): Promise<ListedImage[]> {
  const identity = identify({ ...access.place, service: releases.service });
  const repository = repositoryAt(access.azure, loginServer, imageRepository(identity));
  const manifests = await listManifests(repository, abortSignal);
  const logs = await buildLogs(store, identity, manifests, abortSignal);
  return imagesOf(manifests, releases, running)
    .map((image) => ({ ...image, ...logs.get(image.digest), location: locationOf(loginServer, identity, image) }))
    .sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime());
}

/** The images of one repository, one for each release. */
export function imagesOf(
  manifests: readonly TaggedManifest[],
  service: ServiceReleases,
  running: string | undefined,
): Omit<ListedImage, 'location' | 'buildLog'>[] {
  return manifests.flatMap((manifest) => {
    const releases = manifest.tags.filter((tag) => RELEASE_TAG.test(tag));
    const tags = releases.length > 0 ? releases : [undefined];
    return tags.map((tag) => imageOf(manifest, tag, service, running));
  });
}

function imageOf(
  { digest, tags, createdOn: createdAt, bytes }: TaggedManifest,
  tag: string | undefined,
  releases: ServiceReleases,
  running: string | undefined,
): Omit<ListedImage, 'location' | 'buildLog'> {
  const { service, problem, releases: records } = releases;
  const record =
    records.find(({ release }) => release === tag) ?? records.find(({ imageDigest }) => imageDigest === digest);
  const deployments = tags.filter((each) => !RELEASE_TAG.test(each));
  const isRunning = running !== undefined && deployments.includes(running);
  return {
    service,
    ...(tag === undefined ? {} : { tag }),
    ...(record === undefined ? {} : { version: record.source }),
    state: stateOf(tag, releases, isRunning),
    digest,
    createdAt,
    ...(bytes === undefined ? {} : { bytes }),
    deployments,
    ...(problem === undefined ? {} : { problem }),
  };
}

function stateOf(
  tag: string | undefined,
  { live, releases, problem }: ServiceReleases,
  isRunning: boolean,
): ImageState {
  if (tag !== undefined && tag === live) return 'live';
  if (releases.some(({ release }) => release === tag)) return 'kept';
  if (isRunning) return 'deploying';
  return problem === undefined ? 'unused' : 'unknown';
}

/** Id of the deployment of a service that runs, if one does. */
function runningDeployment(service: string, changes: readonly Change[]): string | undefined {
  return changes.find((change) => change.service === service && change.state === 'running')?.deploymentId;
}

/** A service whose models are gone may still have images: Temporal remembers it. */
function servicesIn(known: readonly ServiceReleases[], changes: readonly Change[]): ServiceReleases[] {
  const names = new Set(known.map(({ service }) => service));
  const others = changes.filter(({ service }) => !names.has(service));
  return [...known, ...others.map(({ service }) => ({ service, releases: [] }))];
}

/** Addresses of the build logs that are there, by the images' digests. */
async function buildLogs(
  store: BlobStore,
  identity: Identity,
  manifests: readonly TaggedManifest[],
  abortSignal: AbortSignal,
): Promise<Map<string, { buildLog: string }>> {
  const found = manifests.map(async ({ digest }) => {
    // The registry's digests are of that form.
    const buildLog = await findBlobUrl(store, blobPath.buildLog(digest as Digest, identity), abortSignal);
    return buildLog === undefined ? [] : [[digest, { buildLog }] as const];
  });
  return new Map((await Promise.all(found)).flat());
}

function locationOf(
  loginServer: string,
  identity: Identity,
  { tag, digest }: Pick<ListedImage, 'tag' | 'digest'>,
): string {
  const repository = `${loginServer}/${imageRepository(identity)}`;
  return tag === undefined ? `${repository}@${digest}` : `${repository}:${tag}`;
}
