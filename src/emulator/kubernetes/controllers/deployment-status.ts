import { setCondition } from './conditions.js';
import { rollingLimits } from './rollout.js';
import type { Condition } from '../objects/metadata.js';
import type { Deployment, ReplicaSet } from '../objects/workload.js';

type Status = Deployment['status'];

function countReplicas(deployment: Deployment, current: ReplicaSet | undefined, all: readonly ReplicaSet[]): Status {
  const total = (count: (set: ReplicaSet) => number | undefined) =>
    all.reduce((result, set) => result + (count(set) ?? 0), 0);
  const replicas = total((set) => set.status.replicas);
  const availableReplicas = total((set) => set.status.availableReplicas);
  const nonZero = (count: number) => (count === 0 ? undefined : count);
  return {
    observedGeneration: deployment.metadata.generation,
    replicas: nonZero(replicas),
    updatedReplicas: nonZero(current?.status.replicas ?? 0),
    readyReplicas: nonZero(total((set) => set.status.readyReplicas)),
    availableReplicas: nonZero(availableReplicas),
    unavailableReplicas: nonZero(
      Math.max(0, deployment.spec.replicas - availableReplicas, replicas - availableReplicas),
    ),
  };
}

function isComplete({ spec }: Deployment, status: Status): boolean {
  const counts = [status.replicas, status.updatedReplicas, status.availableReplicas];
  return counts.every((count) => (count ?? 0) === spec.replicas);
}

function hasProgressed(before: Status, now: Status): boolean {
  const old = (status: Status) => (status.replicas ?? 0) - (status.updatedReplicas ?? 0);
  return (
    (now.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    (now.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (now.availableReplicas ?? 0) > (before.availableReplicas ?? 0) ||
    old(now) < old(before)
  );
}

function progressing(deployment: Deployment, status: Status, current: ReplicaSet | undefined, now: Date): Condition {
  const before = deployment.status.conditions?.find(({ type }) => type === 'Progressing');
  const name = current?.metadata.name ?? '';
  const time = now.toISOString().replace(/\.\d+Z$/, 'Z');
  const make = (state: 'True' | 'False', reason: string, message: string, lastUpdateTime: string): Condition => ({
    type: 'Progressing',
    status: state,
    reason,
    message,
    lastUpdateTime,
  });
  if (isComplete(deployment, status)) {
    const since = before?.reason === 'NewReplicaSetAvailable' ? (before.lastUpdateTime ?? time) : time;
    return make('True', 'NewReplicaSetAvailable', `ReplicaSet "${name}" has successfully progressed.`, since);
  }
  const isNewRollout = before === undefined || deployment.status.observedGeneration !== status.observedGeneration;
  if (isNewRollout || before.reason === 'NewReplicaSetAvailable' || hasProgressed(deployment.status, status)) {
    return make('True', 'ReplicaSetUpdated', `ReplicaSet "${name}" is progressing.`, time);
  }
  const deadline = Date.parse(before.lastUpdateTime ?? time) + deployment.spec.progressDeadlineSeconds * 1000;
  if (now.getTime() < deadline || deployment.spec.paused === true) return before;
  const since = before.lastUpdateTime ?? time;
  return make('False', 'ProgressDeadlineExceeded', `ReplicaSet "${name}" has timed out progressing.`, since);
}

/** Milliseconds until a rollout that makes no progress exceeds its deadline; undefined when there is nothing to wait for. */
export function untilDeadlineMs(deployment: Deployment, now: Date): number | undefined {
  const condition = deployment.status.conditions?.find(({ type }) => type === 'Progressing');
  if (condition?.lastUpdateTime === undefined || condition.status === 'False') return undefined;
  if (condition.reason === 'NewReplicaSetAvailable') return undefined;
  const deadline = Date.parse(condition.lastUpdateTime) + deployment.spec.progressDeadlineSeconds * 1000;
  return Math.max(0, deadline - now.getTime());
}

/** The status of a Deployment from that of its ReplicaSets: counts, and the conditions Available and Progressing. */
export function deploymentStatus(
  deployment: Deployment,
  current: ReplicaSet | undefined,
  all: readonly ReplicaSet[],
  now: Date,
): Status {
  const status = countReplicas(deployment, current, all);
  const time = now.toISOString().replace(/\.\d+Z$/, 'Z');
  const enough = (status.availableReplicas ?? 0) >= deployment.spec.replicas - rollingLimits(deployment).maxUnavailable;
  const withAvailable = setCondition(
    deployment.status.conditions,
    enough
      ? {
          type: 'Available',
          status: 'True',
          reason: 'MinimumReplicasAvailable',
          message: 'Deployment has minimum availability.',
        }
      : {
          type: 'Available',
          status: 'False',
          reason: 'MinimumReplicasUnavailable',
          message: 'Deployment does not have minimum availability.',
        },
    time,
  );
  const progress = progressing(deployment, status, current, now);
  const before = deployment.status.conditions?.find(({ type }) => type === 'Progressing');
  const lastTransitionTime = before?.status === progress.status ? (before.lastTransitionTime ?? time) : time;
  const others = withAvailable.filter(({ type }) => type !== 'Progressing');
  return { ...status, conditions: [...others, { ...progress, lastTransitionTime }] };
}
