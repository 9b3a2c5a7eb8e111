import type { V1Service, V1ServicePort } from '@kubernetes/client-node';
import { z } from 'zod';
import type { ReleaseInput } from '../../deployment/activities.js';
import type { Identity } from '../../deployment/names.js';
import {
  OWNER_ANNOTATION,
  RELEASE_LABEL,
  SERVICE_LABEL,
  isOfDeployment,
  ownershipMark,
  shortDigest,
} from '../../deployment/names.js';
import type { Kubernetes } from './connection.js';
import { NAMESPACE, grpcPort, releaseLabels, restPort, restPortOf } from './manifests.js';
import { createOnce, readIfPresent } from './objects.js';

/** What the public Service selected before the last switch; absent when there was nothing. */
export const PREVIOUS_RELEASE_ANNOTATION = 'slipway.dev/previous-release';
/**
 * JSON list of the releases that the public Service has selected, newest first. See {@link ReleaseRecord}. One that is live
 * again is in it twice, so that an undo finds the history as it was; a retirement drops the older one.
 */
export const RELEASES_ANNOTATION = 'slipway.dev/releases';

const releaseRecord = z.object({
  /** Short release digest: the value of the release label. */
  release: z.string(),
  imageDigest: z.string(),
  /** `name:version`. */
  source: z.string(),
  /** `name:version`. */
  converted: z.string(),
  /** The deployment that switched to it. */
  deploymentId: z.string(),
  /** Where it answers REST from outside; absent where it does not. */
  restPort: z.number().optional(),
});

/** What it takes to go back to a release, or to remove what it was made of. Without times, so that a repeat writes the same. */
export type ReleaseRecord = z.infer<typeof releaseRecord>;

/** The public Service of a service; undefined when nothing has been live yet. */
export async function readPublicService(kubernetes: Kubernetes, service: string): Promise<V1Service | undefined> {
  return readIfPresent(() => kubernetes.core.readNamespacedService({ name: service, namespace: NAMESPACE }));
}

/**
 * Points the public Service at the release of `input`, and creates it first where there is none.
 *
 * @throws SlipwayError `NameConflict` when a Service of that name is not this service's
 */
export async function switchPublicService(kubernetes: Kubernetes, input: ReleaseInput): Promise<void> {
  const { core } = kubernetes;
  const name = input.identity.service;
  const service = await createOnce(input.identity, {
    kind: 'Service',
    name,
    read: () => core.readNamespacedService({ name, namespace: NAMESPACE }),
    create: () => core.createNamespacedService({ namespace: NAMESPACE, body: newPublicService(input) }),
  });
  const changed = switched(service, input);
  if (changed !== undefined) await replacePublicService(kubernetes, changed);
}

/** Writes the public Service as a whole; its resource version makes the API server refuse it (409) if it changed in between. */
export async function replacePublicService(kubernetes: Kubernetes, service: V1Service): Promise<void> {
  const name = service.metadata?.name ?? '';
  await kubernetes.core.replaceNamespacedService({ name, namespace: NAMESPACE, body: service });
}

/** The record of the release that a deployment is about to make live. */
export function recordOf(input: ReleaseInput): ReleaseRecord {
  const port = restPortOf(input.scoring);
  return {
    release: shortDigest(input.image.releaseDigest),
    imageDigest: input.image.digest,
    source: `${input.source.name}:${input.source.version}`,
    converted: `${input.converted.name}:${input.converted.version}`,
    deploymentId: input.identity.deploymentId,
    ...(port === undefined ? {} : { restPort: port }),
  };
}

/** The short digest of the release that a Service selects. */
export function selectedRelease(service: V1Service): string | undefined {
  return service.spec?.selector?.[RELEASE_LABEL];
}

/** The releases that a public Service has selected, newest first. What cannot be read counts as none: it is only history. */
export function releaseRecords(service: V1Service): ReleaseRecord[] {
  const text = service.metadata?.annotations?.[RELEASES_ANNOTATION];
  if (text === undefined) return [];
  try {
    return z.array(releaseRecord).parse(JSON.parse(text));
  } catch {
    return [];
  }
}

/** A new public Service that selects the release of `input`. */
export function newPublicService(input: ReleaseInput): V1Service {
  const { identity, image } = input;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: identity.service,
      namespace: NAMESPACE,
      labels: { [SERVICE_LABEL]: identity.service },
      annotations: {
        [OWNER_ANNOTATION]: ownershipMark(identity),
        [RELEASES_ANNOTATION]: JSON.stringify([recordOf(input)]),
      },
    },
    spec: {
      type: 'LoadBalancer',
      selector: releaseLabels(identity.service, image.releaseDigest),
      ports: portsOf(recordOf(input)),
    },
  };
}

/**
 * The public Service pointed at the release of `input`, remembering what it selected before; undefined when it selects that
 * release already, and nothing needs to change.
 */
export function switched(service: V1Service, input: ReleaseInput): V1Service | undefined {
  const record = recordOf(input);
  const former = selectedRelease(service);
  if (former === record.release) return undefined;
  return selecting(service, input.identity.service, record.release, [record, ...releaseRecords(service)], former);
}

/** What an undo does with the public Service. `leave`: this deployment did not switch it. */
export type SwitchBack = { action: 'leave' } | { action: 'delete' } | { action: 'replace'; service: V1Service };

/**
 * What becomes of the public Service when `identity`'s deployment is undone: a Service that it switched goes back to the
 * release before; one that it created goes.
 */
export function switchedBack(service: V1Service, identity: Identity): SwitchBack {
  const records = releaseRecords(service);
  const live = records.find(({ release }) => release === selectedRelease(service));
  if (live?.deploymentId !== identity.deploymentId) return { action: 'leave' };
  if (isOfDeployment(service.metadata?.annotations?.[OWNER_ANNOTATION], identity)) return { action: 'delete' };
  const previous = service.metadata?.annotations?.[PREVIOUS_RELEASE_ANNOTATION];
  if (previous === undefined) return { action: 'leave' };
  const rest = records.filter((record) => record !== live);
  return { action: 'replace', service: selecting(service, identity.service, previous, rest, undefined) };
}

/** Parts a history into the newest `count` releases, each once, and what is over. */
export function divideRecords(
  records: readonly ReleaseRecord[],
  count: number,
): { kept: ReleaseRecord[]; dropped: ReleaseRecord[] } {
  const isNewest = ({ release }: ReleaseRecord, at: number) =>
    records.findIndex((each) => each.release === release) === at;
  const kept = records.filter(isNewest).slice(0, count);
  return { kept, dropped: records.filter((record) => !kept.includes(record)) };
}

/** The public Service with a shorter history. */
export function withRecords(service: V1Service, records: readonly ReleaseRecord[]): V1Service {
  const annotations = { ...service.metadata?.annotations, [RELEASES_ANNOTATION]: JSON.stringify(records) };
  return { ...service, metadata: { ...service.metadata, annotations } };
}

/** `host:port` of a Service that has an address from outside. */
export function publicAddress(service: V1Service): string | undefined {
  const ingress = service.status?.loadBalancer?.ingress?.[0];
  const host = ingress?.ip ?? ingress?.hostname;
  if (!host) return undefined;
  return `${host.includes(':') ? `[${host}]` : host}:${grpcPort().port}`;
}

function selecting(
  service: V1Service,
  name: string,
  release: string,
  records: readonly ReleaseRecord[],
  previous: string | undefined,
): V1Service {
  const changed = withRecords(service, records);
  const record = records.find((each) => each.release === release);
  const annotations = { ...changed.metadata?.annotations };
  delete annotations[PREVIOUS_RELEASE_ANNOTATION];
  if (previous !== undefined) annotations[PREVIOUS_RELEASE_ANNOTATION] = previous;
  return {
    ...changed,
    metadata: { ...changed.metadata, annotations },
    spec: {
      ...service.spec,
      selector: { [SERVICE_LABEL]: name, [RELEASE_LABEL]: release },
      ports: portsOf(record, service.spec?.ports),
    },
  };
}

/** The ports of a release. One that the Service has already stays as the API server filled it in, its node port included. */
function portsOf(record: ReleaseRecord | undefined, present: readonly V1ServicePort[] = []): V1ServicePort[] {
  const wanted = [grpcPort(), ...(record?.restPort === undefined ? [] : [restPort(record.restPort)])];
  return wanted.map((port) => present.find((it) => it.port === port.port) ?? port);
}
