import type { IntOrString } from '../objects/metadata.js';
import type { Deployment, ReplicaSet } from '../objects/workload.js';

/** How many replicas each ReplicaSet of a Deployment should have next. */
export type Scaling = Map<ReplicaSet, number>;

function resolve(limit: IntOrString, replicas: number, round: (value: number) => number): number {
  if (typeof limit === 'number') return limit;
  return round((Number(limit.replace('%', '')) / 100) * replicas);
}

/** The limits of a rolling update as numbers of pods. Both 0 would stand still, so one may then be unavailable. */
export function rollingLimits({ spec }: Deployment): { maxSurge: number; maxUnavailable: number } {
  if (spec.strategy.type === 'Recreate') return { maxSurge: 0, maxUnavailable: spec.replicas };
  const { maxSurge = '25%', maxUnavailable = '25%' } = spec.strategy.rollingUpdate ?? {};
  const surge = resolve(maxSurge, spec.replicas, Math.ceil);
  const unavailable = Math.min(resolve(maxUnavailable, spec.replicas, Math.floor), spec.replicas);
  return { maxSurge: surge, maxUnavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

const sum = (sets: readonly ReplicaSet[], count: (set: ReplicaSet) => number): number =>
  sets.reduce((total, set) => total + count(set), 0);

const available = (set: ReplicaSet): number => set.status.availableReplicas ?? 0;

/**
 * The next step of a rolling update, as Kubernetes takes it: the new ReplicaSet grows while the total stays within
 * `maxSurge`; old ones shrink while enough pods are available, the unhealthy ones first.
 */
export function rollingStep(deployment: Deployment, current: ReplicaSet, old: readonly ReplicaSet[]): Scaling {
  const { replicas } = deployment.spec;
  const { maxSurge, maxUnavailable } = rollingLimits(deployment);
  const all = [current, ...old];
  const next: Scaling = new Map();
  const room = replicas + maxSurge - sum(all, (set) => set.spec.replicas);
  const grown = Math.min(replicas, current.spec.replicas + Math.max(0, room));
  next.set(current, grown);
  if (grown !== current.spec.replicas) return next;

  const minAvailable = replicas - maxUnavailable;
  const newUnavailable = Math.max(0, current.spec.replicas - available(current));
  let removable = sum(all, (set) => set.spec.replicas) - minAvailable - newUnavailable;
  const left = new Map(old.map((set) => [set, set.spec.replicas]));
  for (const [set, count] of left) {
    const unhealthy = Math.max(0, Math.min(removable, count - available(set)));
    left.set(set, count - unhealthy);
    removable -= unhealthy;
  }
  let spare = Math.min(removable, sum(all, available) - minAvailable);
  for (const [set, count] of left) {
    const removed = Math.max(0, Math.min(spare, count));
    left.set(set, count - removed);
    spare -= removed;
  }
  for (const [set, count] of left) next.set(set, count);
  return next;
}

/** The next step of a Recreate: everything old goes; the new one comes when the last old pod is gone. */
export function recreateStep(
  deployment: Deployment,
  current: ReplicaSet,
  old: readonly ReplicaSet[],
  oldPods: number,
): Scaling {
  const next: Scaling = new Map(old.map((set) => [set, 0]));
  next.set(current, oldPods === 0 ? deployment.spec.replicas : current.spec.replicas);
  return next;
}
