import { asking } from './azure-failures.js';
import { listChanges, type Change } from './changes.js';
import { AZURE_TIMEOUT_MS } from './limits.js';
import { listReleases, type ServiceReleases } from './releases.js';
import type { WorkspaceAccess } from './workspace-access.js';

/**
 * What a service is at now. `live`: a release of it is public, whatever became of the change after it. `failed`, `cancelled`,
 * `deleted`: nothing is public, and the newest change ended so. `gone`: nothing is public, and no change that Temporal keeps
 * says why. `unknown`: its cluster could not be asked.
 */
export type ServiceState = 'live' | 'deploying' | 'deleting' | 'failed' | 'cancelled' | 'deleted' | 'gone' | 'unknown';

/** A service of the workspace. */
export interface ListedService {
  readonly service: string;
  readonly state: ServiceState;
  /** Short digest of the release that is public. */
  readonly release?: string;
  /** `name:version` of the registered model that it scores with. */
  readonly model?: string;
  /** `host:port` of the public gRPC endpoint. */
  readonly address?: string;
  /** ARM id. */
  readonly cluster?: string;
  /** The newest change that Temporal keeps. */
  readonly lastChange?: Change;
  /** Why the state is not known. */
  readonly problem?: string;
}

/** The services of the workspace, by name: those that have models in it, and those that Temporal remembers. */
export async function listServices({ temporal, azure, place }: WorkspaceAccess): Promise<ListedService[]> {
  const [changes, releases] = await Promise.all([
    listChanges(temporal, place),
    asking(() => listReleases(azure, place, AbortSignal.timeout(AZURE_TIMEOUT_MS))),
  ]);
  return servicesOf(releases, changes);
}

/** Puts together what clusters and Temporal say of the services. */
export function servicesOf(releases: readonly ServiceReleases[], changes: readonly Change[]): ListedService[] {
  const known = new Map(releases.map((each) => [each.service, each]));
  const names = [...new Set([...known.keys(), ...changes.map(({ service }) => service)])].sort();
  return names.map((service) =>
    serviceOf(
      known.get(service) ?? { service, releases: [] },
      changes.find((change) => change.service === service),
    ),
  );
}

function serviceOf(releases: ServiceReleases, lastChange: Change | undefined): ListedService {
  const { service, live, address, cluster, problem } = releases;
  const model = releases.releases.find(({ release }) => release === live)?.source;
  return {
    service,
    state: stateOf(releases, lastChange),
    ...(live === undefined ? {} : { release: live }),
    ...(model === undefined ? {} : { model }),
    ...(address === undefined ? {} : { address }),
    ...(cluster === undefined ? {} : { cluster }),
    ...(lastChange === undefined ? {} : { lastChange }),
    ...(problem === undefined ? {} : { problem }),
  };
}

function stateOf({ live, problem }: ServiceReleases, last: Change | undefined): ServiceState {
  if (last?.state === 'running' && last.change === 'teardown') return 'deleting';
  if (live !== undefined) return 'live';
  if (last?.state === 'running') return 'deploying';
  if (problem !== undefined) return 'unknown';
  switch (last?.state) {
    case 'completed':
      return last.change === 'teardown' ? 'deleted' : 'gone';
    case 'cancelled':
      return 'cancelled';
    case 'failed':
    case 'terminated':
    case 'other':
      return 'failed';
    default:
      return 'gone';
  }
}
