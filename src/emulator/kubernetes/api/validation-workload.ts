import type { Deployment, ReplicaSet } from '../objects/workload.js';
import { sameJson } from './json.js';
import { matchesSelector } from './selectors.js';
import { cause, type Cause } from './status.js';
import { podTemplateCauses, setPodDefaults } from './validation-pod.js';

function selectorCauses(workload: Deployment | ReplicaSet): Cause[] {
  const { selector, template } = workload.spec;
  const empty = Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length === 0;
  if (empty) return [cause.required('spec.selector')];
  if (matchesSelector(selector, template.metadata.labels ?? {})) return [];
  const labels = template.metadata.labels ?? {};
  return [cause.invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`')];
}

function replicaCauses(replicas: number): Cause[] {
  return replicas >= 0 ? [] : [cause.invalid('spec.replicas', replicas, 'must be greater than or equal to 0')];
}

/** Checks a ReplicaSet, and what a Deployment has in common with it. */
export function workloadCauses(workload: Deployment | ReplicaSet): Cause[] {
  return [
    ...replicaCauses(workload.spec.replicas),
    ...selectorCauses(workload),
    ...podTemplateCauses(workload.spec.template),
  ];
}

/** Checks a Deployment. */
export function deploymentCauses(deployment: Deployment): Cause[] {
  const causes = workloadCauses(deployment);
  const { rollingUpdate, type } = deployment.spec.strategy;
  if (type === 'Recreate' && rollingUpdate !== undefined) {
    const detail = "may not be specified when strategy `type` is 'Recreate'";
    causes.push(cause.invalid('spec.strategy.rollingUpdate', rollingUpdate, detail));
  }
  const isZero = (limit: number | string | undefined) => limit === 0 || limit === '0%';
  if (isZero(rollingUpdate?.maxSurge) && isZero(rollingUpdate?.maxUnavailable)) {
    const detail = 'may not be 0 when `maxSurge` is 0';
    causes.push(cause.invalid('spec.strategy.rollingUpdate.maxUnavailable', rollingUpdate?.maxUnavailable, detail));
  }
  return causes;
}

/** A workload's selector never changes. */
export function selectorUpdateCauses(next: Deployment | ReplicaSet, previous: Deployment | ReplicaSet): Cause[] {
  if (sameJson(next.spec.selector, previous.spec.selector)) return [];
  return [cause.invalid('spec.selector', next.spec.selector, 'field is immutable')];
}

/** Fills the defaults of a workload that depend on other fields. */
export function setWorkloadDefaults(workload: Deployment | ReplicaSet): void {
  setPodDefaults(workload.spec.template.spec);
}

/** Fills the defaults of a Deployment that depend on other fields. */
export function setDeploymentDefaults(deployment: Deployment): void {
  setWorkloadDefaults(deployment);
  const { strategy } = deployment.spec;
  if (strategy.type === 'RollingUpdate') strategy.rollingUpdate ??= { maxSurge: '25%', maxUnavailable: '25%' };
}
