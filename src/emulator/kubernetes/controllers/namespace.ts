import { Controller, keyOf, splitKey } from './controller.js';
import { namespaces } from '../api/resources.js';
import { resourceOf } from '../api/store.js';
import type { ClusterContext } from '../cluster-context.js';
import type { Namespace } from '../objects/cluster.js';

/** Empties namespaces that are being deleted, and lets them go when nothing is left in them. */
export function startNamespaceController(context: ClusterContext): Controller {
  const { store, registry } = context;

  function reconcile(key: string): void {
    const namespace = store.get(namespaces, undefined, splitKey(key).name);
    if (namespace?.metadata.deletionTimestamp === undefined) return;
    const terminate = ({ status }: Namespace) => void (status.phase = 'Terminating');
    registry.update(namespaces, namespace, terminate, { subresource: 'status' });
    const content = store.all().filter(({ metadata }) => metadata.namespace === namespace.metadata.name);
    for (const object of content) {
      const { metadata } = object;
      const exists = store.get(resourceOf(object), metadata.namespace, metadata.name) !== undefined;
      if (exists && metadata.deletionTimestamp === undefined) {
        registry.delete(resourceOf(object), metadata.namespace, metadata.name, { propagationPolicy: 'Background' });
      }
    }
    const left = store.all().some(({ metadata }) => metadata.namespace === namespace.metadata.name);
    if (!left) registry.update(namespaces, namespace, ({ metadata }) => void (metadata.finalizers = []));
  }

  return new Controller(context, {
    name: 'namespace',
    all: () => store.list(namespaces).map(keyOf),
    concernedBy: ({ resource, object }) => {
      if (resource === namespaces) return [keyOf(object)];
      const { namespace } = object.metadata;
      const owner = namespace === undefined ? undefined : store.get(namespaces, undefined, namespace);
      return owner?.metadata.deletionTimestamp === undefined ? [] : [keyOf(owner)];
    },
    reconcile,
  });
}
