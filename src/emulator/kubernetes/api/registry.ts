import { randomBytes, randomUUID } from 'node:crypto';
import type { Clock } from '../../core/clock.js';
import type { KubeObject, ObjectMeta } from '../objects/metadata.js';
import { isJsonObject, sameJson, withoutNulls, type Json } from './json.js';
import { apiVersionOf, namespaces, pods, type Resource } from './resources.js';
import type { Pod } from '../objects/pod.js';
import { alreadyExists, ApiError, badRequest, conflict, invalid, notFound } from './status.js';
import type { ObjectStore } from './store.js';
import { metadataCauses } from './validation.js';

/** What a write came to. `unchanged` leaves the resource version as it was. */
export interface Written<T extends KubeObject> {
  object: T;
  change: 'created' | 'updated' | 'unchanged';
}

export interface WriteOptions {
  /** `status` writes nothing but the status; without it the status cannot be written. */
  subresource?: 'status' | 'scale';
  dryRun?: boolean;
}

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
 * The rules by which objects come, change and go: defaults, validation, versions, generations, finalizers. Everything here is
 * synchronous, so a write is atomic. Both the API and the controllers go through it.
 */
export class Registry {
  constructor(
    readonly store: ObjectStore,
    private readonly clock: Clock,
  ) {}

  /** The current time in the API's form. */
  now(): string {
    return timestamp(this.clock.now());
  }

  /** Whether objects can be created in a namespace. */
  accepts(namespace: string): boolean {
    const found = this.store.get(namespaces, undefined, namespace);
    return found !== undefined && found.metadata.deletionTimestamp === undefined;
  }

  /** @throws ApiError 404 where there is none */
  get<T extends KubeObject>(resource: Resource<T>, namespace: string | undefined, name: string): T {
    const object = this.store.get(resource, namespace, name);
    if (object === undefined) throw notFound(resource, name);
    return object;
  }

  /** Creates an object from a client's or a controller's description of it. */
  create<T extends KubeObject>(
    resource: Resource<T>,
    namespace: string | undefined,
    body: unknown,
    { dryRun = false }: WriteOptions = {},
  ): Written<T> {
    const object = this.parse(resource, body);
    const { metadata } = object;
    this.checkNamespace(resource, namespace, metadata.namespace);
    if (namespace !== undefined) metadata.namespace = namespace;
    if (metadata.name === '' && metadata.generateName !== undefined)
      metadata.name = metadata.generateName + randomSuffix();
    metadata.uid = randomUUID();
    metadata.resourceVersion = '';
    metadata.creationTimestamp = this.now();
    delete metadata.deletionTimestamp;
    if (resource.hasGeneration) metadata.generation = 1;
    resource.setDefaults?.(object);
    this.validate(resource, object, resource.causes?.(object) ?? []);
    if (this.store.get(resource, namespace, metadata.name) !== undefined) throw alreadyExists(resource, metadata.name);
    resource.allocate?.(object, this.store.list(resource));
    return { object: dryRun ? object : this.store.put(resource, object), change: 'created' };
  }

  /** Replaces an object with `body`, which is checked against the version it names. */
  replace<T extends KubeObject>(
    resource: Resource<T>,
    namespace: string | undefined,
    name: string,
    body: unknown,
    { subresource, dryRun = false }: WriteOptions = {},
  ): Written<T> {
    const previous = this.get(resource, namespace, name);
    const sent = this.parse(resource, body);
    if (sent.metadata.name !== name) {
      throw badRequest(`the name of the object (${sent.metadata.name}) does not match the name on the URL (${name})`);
    }
    this.checkVersion(resource, previous, sent);
    const next = this.merge(resource, previous, sent, subresource);
    if (sameJson(next, previous)) return { object: previous, change: 'unchanged' };
    if (dryRun) return { object: next, change: 'updated' };
    const stored = this.store.put(resource, next);
    this.removeIfFinished(resource, stored);
    return { object: stored, change: 'updated' };
  }

  /**
   * Changes an object through a function on a draft of it. For controllers: it sees the newest version, so it cannot conflict.
   * @returns undefined where the object is gone
   */
  update<T extends KubeObject>(
    resource: Resource<T>,
    object: { metadata: { namespace?: string | undefined; name: string; uid: string } },
    change: (draft: T) => void,
    options: WriteOptions = {},
  ): T | undefined {
    const { namespace, name, uid } = object.metadata;
    const current = this.store.get(resource, namespace, name);
    if (current === undefined || current.metadata.uid !== uid) return undefined;
    const draft = structuredClone(current);
    change(draft);
    return this.replace(resource, namespace, name, draft, options).object;
  }

  /**
   * Deletes an object, or begins to: what has finalizers or running containers goes later.
   * @returns the object as it is now, and whether it is gone
   */
  delete(
    resource: Resource,
    namespace: string | undefined,
    name: string,
    options: DeleteOptions = {},
  ): { object: KubeObject; gone: boolean; change: 'deleted' | 'unchanged' } {
    const object = this.get(resource, namespace, name);
    this.checkPreconditions(resource, object, options);
    if (options.dryRun === true) return { object, gone: false, change: 'unchanged' };
    const next = structuredClone(object);
    const { metadata } = next;
    const finalizers = new Set(metadata.finalizers);
    if (options.propagationPolicy === 'Foreground') finalizers.add('foregroundDeletion');
    if (options.propagationPolicy === 'Orphan') finalizers.add('orphan');
    if (resource.kind === 'Namespace') finalizers.add('kubernetes');
    if (finalizers.size > 0) metadata.finalizers = [...finalizers];
    const grace = resource.kind === 'Pod' ? gracePeriod(this.get(pods, namespace, name), options) : 0;
    if (finalizers.size === 0 && grace === 0) {
      this.store.remove(resource, object);
      return { object, gone: true, change: 'deleted' };
    }
    const shortened = metadata.deletionTimestamp === undefined || grace < (metadata.deletionGracePeriodSeconds ?? 0);
    if (shortened) {
      metadata.deletionTimestamp = timestamp(new Date(this.clock.now().getTime() + grace * 1000));
      metadata.deletionGracePeriodSeconds = grace;
      if (resource.hasGeneration) metadata.generation = (metadata.generation ?? 0) + 1;
    }
    if (sameJson(next, object)) return { object, gone: false, change: 'unchanged' };
    return { object: this.store.put(resource, next), gone: false, change: 'deleted' };
  }

  private parse<T extends KubeObject>(resource: Resource<T>, body: unknown): T {
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

  private checkNamespace(resource: Resource, namespace: string | undefined, inBody: string | undefined): void {
    if (inBody !== undefined && inBody !== '' && inBody !== namespace) {
      throw badRequest(`the namespace of the provided object does not match the namespace sent on the request`);
    }
    if (namespace === undefined || !resource.namespaced) return;
    const { deletionTimestamp } = this.get(namespaces, undefined, namespace).metadata;
    if (deletionTimestamp === undefined) return;
    const message = `unable to create new content in namespace ${namespace} because it is being terminated`;
    throw new ApiError(403, 'Forbidden', message);
  }

  private checkVersion(resource: Resource, previous: KubeObject, sent: KubeObject): void {
    const { resourceVersion, uid } = sent.metadata;
    if (resourceVersion !== '' && resourceVersion !== previous.metadata.resourceVersion) {
      const why = 'the object has been modified; please apply your changes to the latest version and try again';
      throw conflict(resource, previous.metadata.name, why);
    }
    if (uid !== '' && uid !== previous.metadata.uid) {
      throw conflict(resource, previous.metadata.name, `Precondition failed: UID in precondition: ${uid}`);
    }
  }

  private checkPreconditions(resource: Resource, object: KubeObject, { preconditions }: DeleteOptions): void {
    const { uid, resourceVersion } = object.metadata;
    const wrongUid = preconditions?.uid !== undefined && preconditions.uid !== uid;
    const wrongVersion =
      preconditions?.resourceVersion !== undefined && preconditions.resourceVersion !== resourceVersion;
    if (!wrongUid && !wrongVersion) return;
    const why = `the ${wrongUid ? 'UID' : 'ResourceVersion'} in the precondition does not match that in record`;
    throw conflict(resource, object.metadata.name, why);
  }

  /** What the stored object becomes when `sent` is written over `previous`. */
  private merge<T extends KubeObject>(resource: Resource<T>, previous: T, sent: T, subresource?: string): T {
    if (subresource === 'status') return { ...previous, status: sent.status };
    const next: T = { ...sent, metadata: keepServerFields(sent.metadata, previous.metadata) };
    if (resource.subresources.includes('status')) next.status = previous.status;
    resource.inherit?.(next, previous);
    resource.setDefaults?.(next);
    const causes = [...(resource.updateCauses?.(next, previous) ?? []), ...(resource.causes?.(next) ?? [])];
    this.validate(resource, next, causes);
    resource.allocate?.(
      next,
      this.store.list(resource).filter((other) => other.metadata.uid !== previous.metadata.uid),
    );
    if (resource.hasGeneration && !sameJson(next.spec, previous.spec)) {
      next.metadata.generation = (previous.metadata.generation ?? 0) + 1;
    }
    return next;
  }

  private validate(resource: Resource, object: KubeObject, causes: NonNullable<ApiError['details']['causes']>): void {
    const all = [...metadataCauses(object.metadata, resource.nameRule), ...causes];
    if (all.length > 0) throw invalid(resource, object.metadata.name, all);
  }

  /** An object that was being deleted goes with its last finalizer; a pod waits for its kubelet as well. */
  private removeIfFinished(resource: Resource, object: KubeObject): void {
    const { deletionTimestamp, deletionGracePeriodSeconds, finalizers } = object.metadata;
    if (deletionTimestamp === undefined || (finalizers ?? []).length > 0) return;
    if ((deletionGracePeriodSeconds ?? 0) === 0) this.store.remove(resource, object);
  }
}

/** Metadata as it was sent, with what only the server sets taken from the stored object. */
function keepServerFields(sent: ObjectMeta, stored: ObjectMeta): ObjectMeta {
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
function gracePeriod(pod: Pod, { gracePeriodSeconds }: DeleteOptions): number {
  if (pod.spec.nodeName === undefined) return 0;
  if (pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed') return 0;
  return gracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds;
}
