import { clusterRef } from '../azure/clusters.js';
import type { AzureConnection } from '../azure/connection.js';
import { connectToKubernetes, type Kubernetes } from '../azure/kubernetes/connection.js';
import type { ReleaseInput } from '../deployment/activities.js';
import type { Attempt, LookOptions } from './failure.js';
import { clusterLookInterval } from './intervals.js';

/** Connects to the cluster that a release runs on, with credentials that are fetched for this activity alone. */
export function connectTo(
  azure: AzureConnection,
  { identity, cluster }: Pick<ReleaseInput, 'identity' | 'cluster'>,
  abortSignal: AbortSignal,
): Promise<Kubernetes> {
  return connectToKubernetes(azure, clusterRef(identity, cluster.name), abortSignal);
}

/** When to look into the cluster again. */
export function nextLook(attempt: Attempt): LookOptions {
  return { ...attempt, retryAfterSeconds: clusterLookInterval(attempt.ageSeconds) };
}
