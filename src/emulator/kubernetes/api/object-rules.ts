import { randomBytes } from 'node:crypto';
import type { KubeObject, ObjectMeta } from '../objects/metadata.js';
import type { Pod } from '../objects/pod.js';
import { isJsonObject, withoutNulls, type Json } from './json.js';
import { apiVersionOf, type Resource } from './resources.js';
import { badRequest, conflict, invalid, type Cause } from './status.js';
import { metadataCauses } from './validation.js';

/** What a delete asks for. */
export interface DeleteOptions {
  gracePeriodSeconds?: number | undefined;
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan' | undefined;
  preconditions?: { uid?: string | undefined; resourceVersion?: string | undefined } | undefined;
  dryRun?: boolean;
}

/** The characters of generated names: no vowels, so that no words appear. */
const nameAlphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** Five random characters, as generated names end with. */
export function randomSuffix(): string {
  return [...randomBytes(5)].map((byte) => nameAlphabet[byte % nameAlphabet.length]).join('');
}

/** RFC 3339 in whole seconds, as the API writes times. */
export function timestamp(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z');
}

/**
 * Reads an object of a resource, with its plain defaults.
 * @throws ApiError 400 for one of another form or kind
 */
export function parseObject<T extends KubeObject>(resource: Resource<T>, body: unknown): T {
  // What a body holds came from JSON or is one of our own objects; undefined members do not survive parsing.
  const sent = withoutNulls(JSON.parse(JSON.stringify(body ?? null)) as Json);
  if (!isJsonObject(sent)) throw badRequest('the object provided is unrecognized: it is no JSON object');
  // The path says what an object is where the body does not.
  const parsed = resource.schema.safeParse({ kind: resource.kind, apiVersion: apiVersionOf(resource), ...sent });
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw badRequest(
      `${resource.kind} in version "${resource.version}" cannot be handled as a ${resource.kind}: ` +
        `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'malformed'}`,
    );
  }
  const object = parsed.data;
  if (object.kind !== resource.kind || object.apiVersion !== apiVersionOf(resource)) {
    const named = `${object.apiVersion}, Kind=${object.kind}`;
    throw badRequest(
      `${named} in the body does not match ${apiVersionOf(resource)}, Kind=${resource.kind} of the path`,
    );
  }
  return object;
}

/**
 * Checks that a write is based on the stored version, where it names one.
 * @throws ApiError 409
 */
export function checkVersion(resource: Resource, previous: KubeObject, sent: KubeObject): void {
  const { resourceVersion, uid } = sent.metadata;
  if (resourceVersion !== '' && resourceVersion !== previous.metadata.resourceVersion) {
    const why = 'the object has been modified; please apply your changes to the latest version and try again';
    throw conflict(resource, previous.metadata.name, why);
  }
  if (uid !== '' && uid !== previous.metadata.uid) {
    throw conflict(resource, previous.metadata.name, `Precondition failed: UID in precondition: ${uid}`);
  }
}

/**
 * Checks the preconditions of a delete.
 * @throws ApiError 409
 */
export function checkPreconditions(resource: Resource, object: KubeObject, { preconditions }: DeleteOptions): void {
  const { uid, resourceVersion } = object.metadata;
  const wrongUid = preconditions?.uid !== undefined && preconditions.uid !== uid;
  const wrongVersion =
    preconditions?.resourceVersion !== undefined && preconditions.resourceVersion !== resourceVersion;
  if (!wrongUid && !wrongVersion) return;
  const why = `the ${wrongUid ? 'UID' : 'ResourceVersion'} in the precondition does not match that in record`;
  throw conflict(resource, object.metadata.name, why);
}

/**
 * Checks the metadata, and refuses an object that breaks these or other rules.
 * @throws ApiError 422 with every cause
 */
export function validate(resource: Resource, object: KubeObject, causes: Cause[]): void {
  const all = [...metadataCauses(object.metadata, resource.nameRule), ...causes];
  if (all.length > 0) throw invalid(resource, object.metadata.name, all);
}

/** Metadata as it was sent, with what only the server sets taken from the stored object. */
export function keepServerFields(sent: ObjectMeta, stored: ObjectMeta): ObjectMeta {
  const metadata: Record<string, unknown> = { ...sent };
  for (const field of serverFields) {
    if (stored[field] === undefined) delete metadata[field];
    else metadata[field] = stored[field];
  }
  // Only values of the same fields were exchanged.
  return metadata as ObjectMeta;
}

const serverFields = [
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const;

/** Seconds that a pod's containers get to end; none for a pod that has not been given to a node, or is over. */
export function gracePeriod(pod: Pod, { gracePeriodSeconds }: DeleteOptions): number {
  if (pod.spec.nodeName === undefined) return 0;
  if (pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed') return 0;
  return gracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds;
}
