import { isTrue } from './conditions.js';
import { Controller, keyOf, splitKey } from './controller.js';
import { controllerName, controllerReference, isActive, isReady, podsOf } from './ownership.js';
import type { ClusterContext } from '../cluster-context.js';
import { pods, replicaSets } from '../api/resources.js';
import type { Pod } from '../objects/pod.js';
import type { ReplicaSet } from '../objects/workload.js';

/** Keeps as many pods of each ReplicaSet as it asks for. */
export function startReplicaSetController(context: ClusterContext): Controller {
  const { store, registry } = context;
  const recorder = context.recorder.as('replicaset-controller');

  function reconcile(key: string): void {
    const { namespace, name } = splitKey(key);
    const replicaSet = store.get(replicaSets, namespace, name);
    if (replicaSet === undefined || replicaSet.metadata.deletionTimestamp !== undefined) return;
    const active = podsOf(store, replicaSet).filter(isActive);
    const missing = replicaSet.spec.replicas - active.length;
    for (let created = 0; created < missing; created += 1) createPod(replicaSet);
    for (const pod of active.sort(byWorth).slice(0, Math.max(0, -missing))) {
      registry.delete(pods, namespace, pod.metadata.name);
      recorder.record(replicaSet, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`);
    }
    updateStatus(key, replicaSet);
  }

  function createPod(replicaSet: ReplicaSet): void {
    const { template } = replicaSet.spec;
    const { object: pod } = registry.create(pods, replicaSet.metadata.namespace, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        labels: template.metadata.labels,
        annotations: template.metadata.annotations,
        generateName: `${replicaSet.metadata.name}-`,
        ownerReferences: [controllerReference(replicaSets, replicaSet)],
      },
      spec: template.spec,
    });
    recorder.record(replicaSet, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`);
  }

  function updateStatus(key: string, replicaSet: ReplicaSet): void {
    const active = podsOf(store, replicaSet).filter(isActive);
    const ready = active.filter(isReady);
    const waits = ready.map((pod) => untilAvailableMs(pod, replicaSet, context.emulator.clock.now()));
    const longest = Math.max(0, ...waits);
    if (longest > 0) controller.enqueueAfter(key, longest);
    const setStatus = (draft: ReplicaSet) => {
      draft.status = {
        replicas: active.length,
        fullyLabeledReplicas: active.length,
        readyReplicas: ready.length,
        availableReplicas: waits.filter((wait) => wait === 0).length,
        observedGeneration: replicaSet.metadata.generation,
      };
    };
    registry.update(replicaSets, replicaSet, setStatus, { subresource: 'status' });
  }

  const controller = new Controller(context, {
    name: 'replicaset',
    all: () => store.list(replicaSets).map(keyOf),
    concernedBy: ({ resource, object }) => {
      if (resource === replicaSets) return [keyOf(object)];
      const owner = resource === pods ? controllerName(object, 'ReplicaSet') : undefined;
      return owner === undefined ? [] : [`${object.metadata.namespace ?? ''}/${owner}`];
    },
    reconcile,
  });
  return controller;
}

/** Pods that are worth least come first: they go when there are too many. */
function byWorth(a: Pod, b: Pod): number {
  const worth = (pod: Pod) => (pod.spec.nodeName === undefined ? 0 : isReady(pod) ? 2 : 1);
  return worth(a) - worth(b) || b.metadata.creationTimestamp.localeCompare(a.metadata.creationTimestamp);
}

/** Milliseconds until a ready pod has been ready for `minReadySeconds`. */
function untilAvailableMs(pod: Pod, { spec }: ReplicaSet, now: Date): number {
  const since = pod.status.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime;
  if (spec.minReadySeconds === undefined || since === undefined || !isTrue(pod.status.conditions, 'Ready')) return 0;
  return Math.max(0, Date.parse(since) + spec.minReadySeconds * 1000 - now.getTime());
}
