import { randomUUID } from 'node:crypto';
import type { Clock } from '../../core/clock.js';
import type { KubeObject } from '../objects/metadata.js';
import { sameJson } from './json.js';
import {
  checkPreconditions,
  checkVersion,
  gracePeriod,
  keepServerFields,
  parseObject,
  randomSuffix,
  timestamp,
  validate,
  type DeleteOptions,
} from './object-rules.js';
import { namespaces, pods, type Resource } from './resources.js';
import { alreadyExists, ApiError, badRequest, notFound } from './status.js';
import type { ObjectStore } from './store.js';

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
    const object = parseObject(resource, body);
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
    validate(resource, object, resource.causes?.(object) ?? []);
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
    const sent = parseObject(resource, body);
    if (sent.metadata.name !== name) {
      throw badRequest(`the name of the object (${sent.metadata.name}) does not match the name on the URL (${name})`);
    }
    checkVersion(resource, previous, sent);
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
    checkPreconditions(resource, object, options);
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

  /** What the stored object becomes when `sent` is written over `previous`. */
  private merge<T extends KubeObject>(resource: Resource<T>, previous: T, sent: T, subresource?: string): T {
    if (subresource === 'status') return { ...previous, status: sent.status };
    const next: T = { ...sent, metadata: keepServerFields(sent.metadata, previous.metadata) };
    if (resource.subresources.includes('status')) next.status = previous.status;
    resource.inherit?.(next, previous);
    resource.setDefaults?.(next);
    const causes = [...(resource.updateCauses?.(next, previous) ?? []), ...(resource.causes?.(next) ?? [])];
    validate(resource, next, causes);
    resource.allocate?.(
      next,
      this.store.list(resource).filter((other) => other.metadata.uid !== previous.metadata.uid),
    );
    if (resource.hasGeneration && !sameJson(next.spec, previous.spec)) {
      next.metadata.generation = (previous.metadata.generation ?? 0) + 1;
    }
    return next;
  }

  /** An object that was being deleted goes with its last finalizer; a pod waits for its kubelet as well. */
  private removeIfFinished(resource: Resource, object: KubeObject): void {
    const { deletionTimestamp, deletionGracePeriodSeconds, finalizers } = object.metadata;
    if (deletionTimestamp === undefined || (finalizers ?? []).length > 0) return;
    if ((deletionGracePeriodSeconds ?? 0) === 0) this.store.remove(resource, object);
  }
}
