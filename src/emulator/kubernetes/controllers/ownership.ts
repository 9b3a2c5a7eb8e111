import { apiVersionOf, pods, replicaSets, type Resource } from '../api/resources.js';
import type { ObjectStore } from '../api/store.js';
import { isTrue } from './conditions.js';
import type { KubeObject, OwnerReference } from '../objects/metadata.js';
import type { Pod } from '../objects/pod.js';
import type { Deployment, ReplicaSet } from '../objects/workload.js';

/** The reference by which a controller's object owns what it makes. */
export function controllerReference(resource: Resource, owner: KubeObject): OwnerReference {
  return {
    apiVersion: apiVersionOf(resource),
    kind: owner.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

function isControlledBy(object: KubeObject, owner: KubeObject): boolean {
  return (object.metadata.ownerReferences ?? []).some(
    (ref) => ref.controller === true && ref.uid === owner.metadata.uid,
  );
}

/** Name of the controlling owner of that kind. */
export function controllerName(object: KubeObject, kind: string): string | undefined {
  return object.metadata.ownerReferences?.find((ref) => ref.controller === true && ref.kind === kind)?.name;
}

/** The pods of a ReplicaSet, those that are ending included. */
export function podsOf(store: ObjectStore, replicaSet: ReplicaSet): Pod[] {
  return store.list(pods, replicaSet.metadata.namespace).filter((pod) => isControlledBy(pod, replicaSet));
}

/** The ReplicaSets of a Deployment, oldest first. */
export function replicaSetsOf(store: ObjectStore, deployment: Deployment): ReplicaSet[] {
  return store
    .list(replicaSets, deployment.metadata.namespace)
    .filter((replicaSet) => isControlledBy(replicaSet, deployment))
    .sort((a, b) => revisionOf(a) - revisionOf(b));
}

/** Annotation that counts the revisions of a Deployment, on it and on its ReplicaSets. */
export const revisionAnnotation = 'deployment.kubernetes.io/revision';

/** The revision of a Deployment that a ReplicaSet is. */
export function revisionOf(object: KubeObject): number {
  return Number(object.metadata.annotations?.[revisionAnnotation] ?? 0);
}

/** Whether a pod counts as a replica: not ending and not over. */
export function isActive(pod: Pod): boolean {
  const { phase } = pod.status;
  return pod.metadata.deletionTimestamp === undefined && phase !== 'Succeeded' && phase !== 'Failed';
}

/** Whether a pod is ready for traffic. */
export function isReady(pod: Pod): boolean {
  return isTrue(pod.status.conditions, 'Ready');
}
