import { createHash } from 'node:crypto';
import { Controller, keyOf, splitKey } from './controller.js';
import { deploymentStatus, untilDeadlineMs } from './deployment-status.js';
import {
  controllerName,
  controllerReference,
  podsOf,
  replicaSetsOf,
  revisionAnnotation,
  revisionOf,
} from './ownership.js';
import { recreateStep, rollingStep } from './rollout.js';
import { deployments, replicaSets } from '../api/resources.js';
import type { ClusterContext } from '../cluster-context.js';
import type { PodTemplate } from '../objects/pod.js';
import type { Deployment, ReplicaSet } from '../objects/workload.js';

const hashLabel = 'pod-template-hash';

/** Rolls Deployments out through ReplicaSets, one for each pod template. */
export function startDeploymentController(context: ClusterContext): Controller {
  return new DeploymentController(context).controller;
}

class DeploymentController {
  readonly controller: Controller;

  constructor(private readonly context: ClusterContext) {
    const { store } = context;
    this.controller = new Controller(context, {
      name: 'deployment',
      all: () => store.list(deployments).map(keyOf),
      concernedBy: ({ resource, object }) => {
        if (resource === deployments) return [keyOf(object)];
        const owner = resource === replicaSets ? controllerName(object, 'Deployment') : this.deploymentOfPod(object);
        return owner === undefined ? [] : [`${object.metadata.namespace ?? ''}/${owner}`];
      },
      reconcile: (key) => this.reconcile(key),
    });
  }

  private deploymentOfPod(object: Parameters<typeof controllerName>[0]): string | undefined {
    const name = controllerName(object, 'ReplicaSet');
    const owner = name === undefined ? undefined : this.context.store.get(replicaSets, object.metadata.namespace, name);
    return owner === undefined ? undefined : controllerName(owner, 'Deployment');
  }

  private reconcile(key: string): void {
    const { store, registry, emulator } = this.context;
    const { namespace, name } = splitKey(key);
    const deployment = store.get(deployments, namespace, name);
    if (deployment === undefined || deployment.metadata.deletionTimestamp !== undefined) return;
    const current = this.currentReplicaSet(deployment);
    const all = replicaSetsOf(store, deployment);
    if (current !== undefined) {
      const old = all.filter((set) => set.metadata.uid !== current.metadata.uid);
      this.scale(deployment, current, old);
      this.forgetOldRevisions(deployment, old);
    }
    const now = emulator.clock.now();
    const status = deploymentStatus(deployment, current, replicaSetsOf(store, deployment), now);
    const setStatus = (draft: Deployment) => void (draft.status = status);
    const updated = registry.update(deployments, deployment, setStatus, { subresource: 'status' });
    const wait = updated === undefined ? undefined : untilDeadlineMs(updated, now);
    // A second more, for times are kept in whole seconds.
    if (wait !== undefined) this.controller.enqueueAfter(key, wait + 1000);
  }

  /** The ReplicaSet of the Deployment's present template; made where it is missing, unless the Deployment is paused. */
  private currentReplicaSet(deployment: Deployment): ReplicaSet | undefined {
    const { store, registry } = this.context;
    const { name: owner, namespace } = deployment.metadata;
    const { template } = deployment.spec;
    const hash = templateHash(template);
    const name = `${owner}-${hash}`;
    const all = replicaSetsOf(store, deployment);
    const newest = all.reduce((highest, set) => Math.max(highest, revisionOf(set)), 0);
    const existing = all.find((set) => set.metadata.name === name);
    if (existing !== undefined && revisionOf(existing) === newest) {
      this.setRevision(deployment, newest);
      return existing;
    }
    if (deployment.spec.paused === true) return existing;
    const revision = String(newest + 1);
    this.setRevision(deployment, newest + 1);
    if (existing !== undefined) {
      const annotate = (draft: ReplicaSet) => {
        draft.metadata.annotations = { ...draft.metadata.annotations, [revisionAnnotation]: revision };
      };
      return registry.update(replicaSets, existing, annotate);
    }
    const labels = { ...template.metadata.labels, [hashLabel]: hash };
    const { object } = registry.create(replicaSets, namespace, {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        name,
        labels,
        annotations: { ...deployment.metadata.annotations, [revisionAnnotation]: revision },
        ownerReferences: [controllerReference(deployments, deployment)],
      },
      spec: {
        replicas: 0,
        minReadySeconds: deployment.spec.minReadySeconds,
        selector: {
          ...deployment.spec.selector,
          matchLabels: { ...deployment.spec.selector.matchLabels, [hashLabel]: hash },
        },
        template: { ...template, metadata: { ...template.metadata, labels } },
      },
    });
    return object;
  }

  private setRevision(deployment: Deployment, revision: number): void {
    this.context.registry.update(deployments, deployment, ({ metadata }) => {
      metadata.annotations = { ...metadata.annotations, [revisionAnnotation]: String(revision) };
    });
  }

  private scale(deployment: Deployment, current: ReplicaSet, old: ReplicaSet[]): void {
    const { store, registry, recorder } = this.context;
    const oldPods = old.reduce((count, set) => count + podsOf(store, set).length, 0);
    const step =
      deployment.spec.strategy.type === 'Recreate'
        ? recreateStep(deployment, current, old, oldPods)
        : rollingStep(deployment, current, old);
    for (const [set, replicas] of step) {
      const before = set.spec.replicas;
      if (replicas === before) continue;
      registry.update(replicaSets, set, ({ spec }) => void (spec.replicas = replicas));
      const message = `Scaled ${replicas > before ? 'up' : 'down'} replica set ${set.metadata.name} from ${before} to ${replicas}`;
      recorder.as('deployment-controller').record(deployment, 'Normal', 'ScalingReplicaSet', message);
    }
  }

  private forgetOldRevisions(deployment: Deployment, old: ReplicaSet[]): void {
    const { store, registry } = this.context;
    const empty = old.filter((set) => set.spec.replicas === 0 && podsOf(store, set).length === 0);
    const surplus = empty.length - deployment.spec.revisionHistoryLimit;
    for (const { metadata } of empty.slice(0, Math.max(0, surplus))) {
      registry.delete(replicaSets, metadata.namespace, metadata.name);
    }
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, member]) => [key, sorted(member)]));
}

/** Ten characters that stand for a pod template, whatever the order of its members. */
function templateHash(template: PodTemplate): string {
  const digest = createHash('sha256')
    .update(JSON.stringify(sorted(template)))
    .digest();
  return [...digest.subarray(0, 10)].map((byte) => 'bcdfghjklmnpqrstvwxz2456789'[byte % 27]).join('');
}
