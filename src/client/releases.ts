import { clusterRef, getCluster } from '../azure/clusters.js';
import type { AzureConnection } from '../azure/connection.js';
import { connectToKubernetes, type Kubernetes } from '../azure/kubernetes/connection.js';
import {
  publicAddress,
  readPublicService,
  releaseRecords,
  selectedRelease,
  type ReleaseRecord,
} from '../azure/kubernetes/public-service.js';
import { listModelContainers, type ModelContainer } from '../azure/model-containers.js';
import { parseResourceId, type WorkspacePlace } from '../azure/workspace.js';
import { SlipwayError } from '../deployment/errors.js';
import { identify } from '../deployment/identity.js';
import { CLUSTER_TAG, isOfService, OWNER_TAG, SERVICE_TAG } from '../deployment/names.js';
import { asking } from './azure-failures.js';

/** What a service's cluster says of it. The public Service is what decides which release is live. */
export interface ServiceReleases {
  readonly service: string;
  /** ARM id of the cluster that its models name; absent where it has no models. */
  readonly cluster?: string;
  /** Short digest of the release that its public Service selects. */
  readonly live?: string;
  /** `host:port` */
  readonly address?: string;
  /** The live release and those that are kept for a rollback, newest first. */
  readonly releases: readonly ReleaseRecord[];
  /** Why its cluster could not be asked: then it is not known what is live. */
  readonly problem?: string;
}

/** The services of a workspace that have models in it, with their releases, by name. */
export async function listReleases(
  azure: AzureConnection,
  place: WorkspacePlace,
  abortSignal: AbortSignal,
): Promise<ServiceReleases[]> {
  const clusters = clustersOfServices(place, await listModelContainers(azure, place, abortSignal));
  const open = connections(azure, place, abortSignal);
  const services = [...clusters].map(async ([service, cluster]) => {
    if (cluster === undefined) return { service, releases: [] };
    try {
      return await asking(async () => releasesOn(await open(cluster), service, cluster));
    } catch (error) {
      if (!(error instanceof SlipwayError)) throw error;
      return { service, cluster, releases: [], problem: `${parseResourceId(cluster).name}: ${error.message}` };
    }
  });
  return (await Promise.all(services)).sort((a, b) => (a.service < b.service ? -1 : 1));
}

/** A service's cluster, connected to. */
export interface ServiceCluster {
  readonly kubernetes: Kubernetes;
  readonly releases: ServiceReleases;
}

/**
 * Connects to the cluster on which a service runs.
 *
 * @throws SlipwayError `NotLive` when no release of it is live
 */
export async function openServiceCluster(
  azure: AzureConnection,
  place: WorkspacePlace,
  service: string,
  abortSignal: AbortSignal,
): Promise<ServiceCluster & { readonly live: string }> {
  const cluster = clustersOfServices(place, await listModelContainers(azure, place, abortSignal)).get(service);
  const kubernetes = cluster === undefined ? undefined : await connections(azure, place, abortSignal)(cluster);
  if (cluster !== undefined && kubernetes !== undefined) {
    const releases = await releasesOn(kubernetes, service, cluster);
    if (releases.live !== undefined) return { kubernetes, releases, live: releases.live };
  }
  throw new SlipwayError('NotLive', `No release of ${service} is live in ${place.workspaceName}`, {
    fix: '`slipway list` says which services are.',
  });
}

/** The services that have models in a workspace, each with the ARM id of the cluster that they name. */
function clustersOfServices(
  place: WorkspacePlace,
  containers: readonly ModelContainer[],
): Map<string, string | undefined> {
  const clusters = new Map<string, string | undefined>();
  for (const { tags } of containers) {
    const service = tags[SERVICE_TAG];
    if (service === undefined || !isOfService(tags[OWNER_TAG], identify({ ...place, service }))) continue;
    clusters.set(service, clusters.get(service) ?? tags[CLUSTER_TAG]);
  }
  return clusters;
}

/** Connects to each cluster once. A cluster that is not there, or not yet, gives undefined: nothing can be live on it. */
function connections(
  azure: AzureConnection,
  place: WorkspacePlace,
  abortSignal: AbortSignal,
): (cluster: string) => Promise<Kubernetes | undefined> {
  const opened = new Map<string, Promise<Kubernetes | undefined>>();
  const open = async (cluster: string) => {
    const ref = clusterRef(place, parseResourceId(cluster).name);
    const found = await getCluster(azure, ref, abortSignal);
    if (found === undefined || found.state === 'Creating') return undefined;
    return connectToKubernetes(azure, ref, abortSignal);
  };
  return (cluster) => {
    const connection = opened.get(cluster) ?? open(cluster);
    opened.set(cluster, connection);
    return connection;
  };
}

async function releasesOn(
  kubernetes: Kubernetes | undefined,
  service: string,
  cluster: string,
): Promise<ServiceReleases> {
  const found = kubernetes && (await readPublicService(kubernetes, service));
  if (found === undefined) return { service, cluster, releases: [] };
  const live = selectedRelease(found);
  const address = publicAddress(found);
  return {
    service,
    cluster,
    releases: releaseRecords(found),
    ...(live === undefined ? {} : { live }),
    ...(address === undefined ? {} : { address }),
  };
}
