import type { CoreV1Event, V1Deployment, V1Pod } from '@kubernetes/client-node';
import type { ReleaseInput } from '../../deployment/activities.js';
import { type Identity, RELEASE_LABEL, SERVICE_LABEL, releaseName } from '../../deployment/names.js';
import type { Kubernetes } from './connection.js';
import { ensureKeys } from './keys.js';
import { LOG_EXCERPT, LOG_LINES } from './limits.js';
import { NAMESPACE, candidateService, releaseDeployment, releaseLabels } from './manifests.js';
import { createOnce, deleteIfPresent, deletionOf, isGoing, readIfPresent, type Owned } from './objects.js';

/** An object of a service in its cluster: what an undo or a retirement looks at. */
export interface ServiceObject extends Owned {
  readonly kind: 'Deployment' | 'Service' | 'Secret';
  readonly name: string;
  /** Short digest of its release; absent for the public Service. */
  readonly release: string | undefined;
}

/**
 * Makes a release's Secret (when scoring asks for a key), Deployment and candidate Service, as far as they are not there.
 *
 * @throws SlipwayError `NameConflict` when one of the names is taken by something that is not this service's
 */
export async function ensureRelease(kubernetes: Kubernetes, input: ReleaseInput, loginServer: string): Promise<void> {
  const { core, apps } = kubernetes;
  const { identity, scoring } = input;
  const name = releaseName(identity.service, input.image.releaseDigest);
  const at = { name, namespace: NAMESPACE };
  if (scoring.auth === 'key') await ensureKeys(kubernetes, input);
  await createOnce(identity, {
    kind: 'Deployment',
    name,
    read: () => apps.readNamespacedDeployment(at),
    create: () =>
      apps.createNamespacedDeployment({ namespace: NAMESPACE, body: releaseDeployment(input, loginServer) }),
  });
  await createOnce(identity, {
    kind: 'Service',
    name,
    read: () => core.readNamespacedService(at),
    create: () => core.createNamespacedService({ namespace: NAMESPACE, body: candidateService(input) }),
  });
}

export async function readDeployment(kubernetes: Kubernetes, name: string): Promise<V1Deployment | undefined> {
  return readIfPresent(() => kubernetes.apps.readNamespacedDeployment({ name, namespace: NAMESPACE }));
}

/** The pods of one release that are not being deleted. */
export async function podsOf(kubernetes: Kubernetes, service: string, releaseDigest: string): Promise<V1Pod[]> {
  const labelSelector = selector(releaseLabels(service, releaseDigest));
  const { items } = await kubernetes.core.listNamespacedPod({ namespace: NAMESPACE, labelSelector });
  return items.filter((pod) => !isGoing(pod));
}

/** A pod of the release that answers its readiness probe. */
export async function readyPod(kubernetes: Kubernetes, input: ReleaseInput): Promise<string | undefined> {
  const pods = await podsOf(kubernetes, input.identity.service, input.image.releaseDigest);
  const ready = pods.find(({ status }) =>
    status?.conditions?.some((it) => it.type === 'Ready' && it.status === 'True'),
  );
  return ready?.metadata?.name;
}

/** What happened to pods lately, in the namespace of the releases. */
export async function podEvents(kubernetes: Kubernetes): Promise<CoreV1Event[]> {
  const fieldSelector = 'involvedObject.kind=Pod';
  return (await kubernetes.core.listNamespacedEvent({ namespace: NAMESPACE, fieldSelector })).items;
}

/** The last lines of a container's log; empty when there is no log to read. */
export async function lastLogLines(
  kubernetes: Kubernetes,
  pod: string,
  which: 'current' | 'previous',
): Promise<string> {
  try {
    const log = await kubernetes.core.readNamespacedPodLog({
      name: pod,
      namespace: NAMESPACE,
      previous: which === 'previous',
      tailLines: LOG_LINES,
    });
    return log.trim().slice(-LOG_EXCERPT);
  } catch {
    // The log only adds to a failure that is reported anyway; the node may be gone with it.
    return '';
  }
}

/** Deployments, Services and Secrets that carry the service's label, the public Service included. */
export async function serviceObjects(kubernetes: Kubernetes, { service }: Identity): Promise<ServiceObject[]> {
  const { core, apps } = kubernetes;
  const listed = { namespace: NAMESPACE, labelSelector: selector({ [SERVICE_LABEL]: service }) };
  const [services, deployments, secrets] = await Promise.all([
    core.listNamespacedService(listed),
    apps.listNamespacedDeployment(listed),
    core.listNamespacedSecret(listed),
  ]);
  const objects = (kind: ServiceObject['kind'], items: readonly Owned[]): ServiceObject[] =>
    items.map(({ metadata = {} }) => ({
      kind,
      metadata,
      name: metadata.name ?? '',
      release: metadata.labels?.[RELEASE_LABEL],
    }));
  return [
    ...objects('Service', services.items),
    ...objects('Deployment', deployments.items),
    ...objects('Secret', secrets.items),
  ];
}

/** Begins the deletion of an object; its pods drain for their grace period. */
export async function deleteObject(kubernetes: Kubernetes, object: ServiceObject): Promise<void> {
  if (isGoing(object)) return;
  const { core, apps } = kubernetes;
  const request = { name: object.name, namespace: NAMESPACE, body: deletionOf(object) };
  const calls: Record<ServiceObject['kind'], () => Promise<unknown>> = {
    Deployment: () => apps.deleteNamespacedDeployment(request),
    Service: () => core.deleteNamespacedService(request),
    Secret: () => core.deleteNamespacedSecret(request),
  };
  await deleteIfPresent(calls[object.kind]);
}

/** Pods of a service that still run or drain, whoever owns them. */
export async function remainingPods(kubernetes: Kubernetes, { service }: Identity): Promise<V1Pod[]> {
  const labelSelector = selector({ [SERVICE_LABEL]: service });
  return (await kubernetes.core.listNamespacedPod({ namespace: NAMESPACE, labelSelector })).items;
}

function selector(labels: Record<string, string>): string {
  return Object.entries(labels)
    .map(([label, value]) => `${label}=${value}`)
    .join(',');
}
