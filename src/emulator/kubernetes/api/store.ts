import type { Collection } from '../../core/documents.js';
import type { KubeObject } from '../objects/metadata.js';
import { watchHistoryEvents } from '../limits.js';
import { resourceOfKind, type Resource } from './resources.js';

/** One change of the store, as watches and controllers see it. */
export interface StoreEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  resource: Resource;
  object: KubeObject;
  /** The object before the change. */
  previous?: KubeObject;
  version: number;
}

export type StoreListener = (event: StoreEvent) => void;

/**
 * The objects of one cluster with their versions, on disk, and the recent history of changes. Objects in it are never
 * changed in place: a write puts a new one.
 */
export class ObjectStore {
  private readonly listeners = new Set<StoreListener>();
  private readonly history: StoreEvent[] = [];
  private latest: number;
  /** Changes up to this version are not in the history any more. */
  private forgotten: number;

  constructor(private readonly objects: Collection<KubeObject>) {
    const versions = objects.list().map((object) => Number(object.metadata.resourceVersion));
    // Versions follow the machine's clock, so that they rise over a restart that forgot what was deleted before it.
    this.latest = versions.reduce((highest, version) => Math.max(highest, version), Date.now());
    this.forgotten = this.latest;
  }

  /** The version of the newest change. */
  get version(): number {
    return this.latest;
  }

  get<T extends KubeObject>(resource: Resource<T>, namespace: string | undefined, name: string): T | undefined {
    // What is filed under a resource has been parsed by its schema.
    return this.objects.get(key(resource, namespace, name)) as T | undefined;
  }

  /** Objects of a resource by namespace and name, of one namespace or of all. */
  list<T extends KubeObject>(resource: Resource<T>, namespace?: string): T[] {
    const prefix = `${resource.group}/${resource.plural}/${namespace === undefined ? '' : `${namespace}/`}`;
    return this.objects.list(prefix) as T[];
  }

  /** Every object of the cluster. */
  all(): KubeObject[] {
    return this.objects.list();
  }

  /** Stores an object under a new version and tells everyone. Returns what was stored. */
  put<T extends KubeObject>(resource: Resource<T>, object: T): T {
    const id = key(resource, object.metadata.namespace, object.metadata.name);
    const previous = this.objects.get(id);
    const stored = this.withNewVersion(object);
    this.objects.put(id, stored);
    this.publish({
      type: previous === undefined ? 'ADDED' : 'MODIFIED',
      resource,
      object: stored,
      ...(previous === undefined ? {} : { previous }),
      version: this.latest,
    });
    return stored;
  }

  /** Removes an object and tells everyone. */
  remove(resource: Resource, object: KubeObject): void {
    const id = key(resource, object.metadata.namespace, object.metadata.name);
    if (!this.objects.delete(id)) return;
    this.publish({
      type: 'DELETED',
      resource,
      object: this.withNewVersion(object),
      previous: object,
      version: this.latest,
    });
  }

  /** Forgets every object without telling anyone: the cluster is gone. */
  clear(): void {
    this.objects.clear();
  }

  /** Calls `listener` at every change until the returned function is called. */
  subscribe(listener: StoreListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** The changes after `version`, or undefined where some of them are forgotten. */
  since(version: number): StoreEvent[] | undefined {
    return version < this.forgotten ? undefined : this.history.filter((event) => event.version > version);
  }

  private withNewVersion<T extends KubeObject>(object: T): T {
    this.latest += 1;
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(this.latest) } };
  }

  private publish(event: StoreEvent): void {
    this.history.push(event);
    const dropped = this.history.length > watchHistoryEvents ? this.history.shift() : undefined;
    if (dropped !== undefined) this.forgotten = dropped.version;
    for (const listener of [...this.listeners]) listener(event);
  }
}

function key(resource: Resource, namespace: string | undefined, name: string): string {
  return `${resource.group}/${resource.plural}/${namespace ?? ''}/${name}`;
}

/** The resource that an object is stored under. */
export function resourceOf(object: KubeObject): Resource {
  const resource = resourceOfKind(object.apiVersion, object.kind);
  if (resource === undefined) throw new Error(`no resource holds ${object.apiVersion} ${object.kind}`);
  return resource;
}
