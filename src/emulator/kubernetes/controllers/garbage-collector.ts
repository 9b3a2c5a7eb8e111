import { Controller } from './controller.js';
import { resourceOf } from '../api/store.js';
import type { ClusterContext } from '../cluster-context.js';
import type { KubeObject, ObjectMeta } from '../objects/metadata.js';

/** Deletes what lost all its owners, and carries out foreground and orphan deletion. The key is an object's uid. */
export function startGarbageCollector(context: ClusterContext): Controller {
  const { store, registry } = context;
  const isFinalized = (object: KubeObject) =>
    (object.metadata.finalizers ?? []).some((name) => policyFinalizers.has(name));
  const needsLook = (object: KubeObject) => object.metadata.ownerReferences !== undefined || isFinalized(object);

  function reconcile(uid: string): void {
    const all = store.all();
    const object = all.find((candidate) => candidate.metadata.uid === uid);
    if (object === undefined) return;
    const dependents = all.filter(({ metadata }) => metadata.ownerReferences?.some((owner) => owner.uid === uid));
    if (object.metadata.deletionTimestamp !== undefined && isFinalized(object)) finalize(object, dependents);
    else collect(object, new Set(all.map(({ metadata }) => metadata.uid)));
  }

  /** Deletes an object whose owners are all gone. */
  function collect(object: KubeObject, alive: ReadonlySet<string>): void {
    const owners = object.metadata.ownerReferences ?? [];
    if (owners.length === 0 || owners.some(({ uid }) => alive.has(uid))) return;
    remove(object, 'Background');
  }

  function finalize(owner: KubeObject, dependents: KubeObject[]): void {
    const { uid, finalizers = [] } = owner.metadata;
    if (finalizers.includes('orphan')) {
      for (const dependent of dependents) {
        edit(dependent, (metadata) => {
          metadata.ownerReferences = metadata.ownerReferences?.filter((reference) => reference.uid !== uid);
        });
      }
    } else if (dependents.length > 0) {
      for (const dependent of dependents) {
        if (dependent.metadata.deletionTimestamp === undefined) remove(dependent, 'Foreground');
      }
      return;
    }
    edit(owner, (metadata) => void (metadata.finalizers = finalizers.filter((name) => !policyFinalizers.has(name))));
  }

  function remove({ metadata, ...object }: KubeObject, propagationPolicy: 'Background' | 'Foreground'): void {
    const resource = resourceOf({ ...object, metadata });
    const isPod = resource.kind === 'Pod';
    registry.delete(resource, metadata.namespace, metadata.name, {
      preconditions: { uid: metadata.uid },
      // Pods own nothing, and a finalizer on them would outlast their containers.
      propagationPolicy: isPod ? 'Background' : propagationPolicy,
    });
  }

  function edit(object: KubeObject, change: (metadata: ObjectMeta) => void): void {
    registry.update(resourceOf(object), object, (draft) => change(draft.metadata));
  }

  return new Controller(context, {
    name: 'garbage-collector',
    all: () =>
      store
        .all()
        .filter(needsLook)
        .map(({ metadata }) => metadata.uid),
    concernedBy: ({ type, object }) => {
      const { uid, ownerReferences = [] } = object.metadata;
      if (type !== 'DELETED') return needsLook(object) ? [uid] : [];
      const owned = store.all().filter(({ metadata }) => metadata.ownerReferences?.some((owner) => owner.uid === uid));
      return [...owned.map(({ metadata }) => metadata.uid), ...ownerReferences.map((owner) => owner.uid)];
    },
    reconcile,
  });
}

const policyFinalizers = new Set(['foregroundDeletion', 'orphan']);
