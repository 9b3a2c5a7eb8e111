import type { Kind } from './steps.js';

/**
 * What things of a deployment are called. Names are deterministic, so that an undo finds a resource by its name even when
 * the reply that would have carried its id was lost.
 */

/** Where a service lives and which deployment changes it. Everything that marks or finds a resource derives from this. */
export interface Identity {
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly workspaceName: string;
  /** The service's name, a DNS label. */
  readonly service: string;
  /** First 12 hexadecimal digits of a digest over the four names above: what the resources of one service share. */
  readonly uid: string;
  /** Which deployment this is; chosen by the client, so that a repeated start is the same deployment. */
  readonly deploymentId: string;
}

/** Tag on Azure resources that carries the {@link ownershipMark}. */
export const OWNER_TAG = 'slipway-owner';
/** Tag on Azure resources that carries the service's name, for people. */
export const SERVICE_TAG = 'slipway-service';
/** Tag on the containers of a service's models that names its cluster (ARM id), so that a teardown finds it. */
export const CLUSTER_TAG = 'slipway-cluster';
/** Property of a model version: digest of its content (`sha256:…`). */
export const DIGEST_PROPERTY = 'slipway-digest';

/** Property of a converted model version: the `name:version` that it was converted from. */
export const SOURCE_PROPERTY = 'slipway-source';
/** Property of a converted model version: digest of what {@link SOURCE_PROPERTY} names. */
export const SOURCE_DIGEST_PROPERTY = 'slipway-source-digest';
/** Property of a converted model version: digest of the conversion that made it. */
export const CONVERSION_PROPERTY = 'slipway-conversion';

/** Annotation on Kubernetes objects that carries the {@link ownershipMark}. Label values end at 63 characters; annotations do not. */
export const OWNER_ANNOTATION = 'slipway.dev/owner';
/** Label on Kubernetes objects: the service's name. */
export const SERVICE_LABEL = 'slipway.dev/service';
/** Label on Kubernetes objects: the short release digest. */
export const RELEASE_LABEL = 'slipway.dev/release';

/** `<service uid>/<deployment id>`: proof that a resource was made by this deployment of this service. */
export function ownershipMark(identity: Identity): string {
  return `${identity.uid}/${identity.deploymentId}`;
}

/** Whether `mark` was set by any deployment of this service. */
export function isOfService(mark: string | undefined, identity: Identity): boolean {
  return mark?.startsWith(`${identity.uid}/`) ?? false;
}

/** Whether `mark` was set by exactly this deployment. */
export function isOfDeployment(mark: string | undefined, identity: Identity): boolean {
  return mark === ownershipMark(identity);
}

/** The id under which everything that changes a service runs: Temporal itself is the lock (one open workflow per id). */
export function serviceWorkflowId(identity: Omit<Identity, 'uid' | 'deploymentId'>): string {
  const { subscriptionId, resourceGroup, workspaceName, service } = identity;
  return `service/${subscriptionId}/${resourceGroup}/${workspaceName}/${service}`;
}

/** The id of a service's schedule, and what the ids of its runs begin with. */
export function redeployId(identity: Omit<Identity, 'uid' | 'deploymentId'>): string {
  const { subscriptionId, resourceGroup, workspaceName, service } = identity;
  return `redeploy/${subscriptionId}/${resourceGroup}/${workspaceName}/${service}`;
}

/** Random bytes in a deployment id. */
export const DEPLOYMENT_ID_BYTES = 11;

/** A deployment id: `d` and 11 characters that are valid in tags, OCI tags, Azure ML job names and labels. */
export function deploymentIdOf(bytes: readonly number[]): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
  return `d${bytes
    .slice(0, DEPLOYMENT_ID_BYTES)
    .map((byte) => alphabet[byte % alphabet.length])
    .join('')}`;
}

/** Name under which the converted model is registered beside its source. */
export function convertedModelName(sourceName: string): string {
  return `${sourceName}-onnx`;
}

/** Repository of a service's images: named after the uid, so that no two services share one. */
export function imageRepository(identity: Identity): string {
  return `slipway/${identity.uid}`;
}

/** Name of the cluster that is created for a service when the specification names none. */
export function defaultClusterName(service: string): string {
  return `slipway-${service}`;
}

/** The short form of a digest that names releases: its first 12 hexadecimal digits. */
export function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, 12);
}

/** Name of a release's Deployment, candidate Service and Secret. */
export function releaseName(service: string, releaseDigest: string): string {
  return `${service}-${shortDigest(releaseDigest)}`;
}

/** Name of the Azure ML job of a conversion. Azure keeps failed jobs, so the name carries the attempt. */
export function conversionJobName(identity: Identity, conversionDigest: string, attempt: number): string {
  return `slipway-${identity.deploymentId}-${shortDigest(conversionDigest)}-${attempt}`;
}

/** What a {@link conversionJobName} is made of; undefined for a name that is none. */
export function parseConversionJobName(
  name: string,
): { deploymentId: string; conversion: string; attempt: number } | undefined {
  const [, deploymentId, conversion, attempt] = /^slipway-(.+)-([0-9a-f]{12})-(\d+)$/.exec(name) ?? [];
  if (!deploymentId || !conversion || !attempt) return undefined;
  return { deploymentId, conversion, attempt: Number(attempt) };
}

/** What a person looks for when something of a kind was not removed and no answer gave its id. */
export function namesOf(
  kind: Kind,
  target: { readonly identity: Identity; readonly cluster?: { readonly name: string }; readonly modelName?: string },
): string[] {
  const { identity, cluster, modelName } = target;
  switch (kind) {
    case 'service':
      return [identity.service];
    case 'image':
      return [imageRepository(identity)];
    case 'registered-model':
      return [modelName ?? identity.service];
    case 'converted-model':
      return [convertedModelName(modelName ?? identity.service)];
    case 'cluster':
      return cluster ? [cluster.name] : [];
    case 'job':
    case 'role-assignment':
      return [ownershipMark(identity)];
  }
}

/** A digest as images are named by it. */
const LONG_DIGEST = /(?<=sha256:[0-9a-f]{12})[0-9a-f]{52}/g;

/** An id for people: of an ARM id its last part, which says which one it is, and of a digest its beginning. */
export function shortId(id: string): string {
  const last = id.startsWith('/subscriptions/') ? (id.split('/').at(-1) ?? id) : id;
  return last.replaceAll(LONG_DIGEST, '');
}
