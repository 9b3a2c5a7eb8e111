import { SlipwayError } from '../../deployment/errors.js';
import { classify, isBadRequest } from '../failures.js';
import type { Kubernetes } from './connection.js';
import { NAMESPACE } from './manifests.js';
import { podsOf } from './releases.js';

/** Which part of a log is wanted. */
export interface PodLogOptions {
  /** Of the container that ran before the present one: why it ended. */
  readonly previous?: boolean;
  /** Only that many of the last lines. */
  readonly tail?: number;
}

/** What a pod has printed. */
export interface PodLog {
  readonly pod: string;
  readonly text: string;
}

/**
 * The logs of the pods of a release.
 *
 * @param release its digest, whole or short
 * @throws SlipwayError `NoPods` when it has none; `NoPodLog` when a container has not started, or has none before it
 */
export async function readPodLogs(
  kubernetes: Kubernetes,
  service: string,
  release: string,
  options: PodLogOptions,
): Promise<PodLog[]> {
  const names = (await podsOf(kubernetes, service, release)).flatMap(({ metadata }) => metadata?.name ?? []).sort();
  if (names.length === 0) {
    throw new SlipwayError('NoPods', `Release ${release} of ${service} has no pods`, {
      fix: `Look at its Deployment: kubectl describe deployment -l slipway.dev/service=${service}`,
    });
  }
  return Promise.all(names.map(async (pod) => ({ pod, text: await readPodLog(kubernetes, pod, options) })));
}

async function readPodLog({ core }: Kubernetes, name: string, { previous, tail }: PodLogOptions): Promise<string> {
  try {
    return await core.readNamespacedPodLog({
      name,
      namespace: NAMESPACE,
      ...(previous === undefined ? {} : { previous }),
      ...(tail === undefined ? {} : { tailLines: tail }),
    });
  } catch (error) {
    // The API server says 400 for a container that is not there to be read: it has not started, or was never restarted.
    if (!isBadRequest(error)) throw error;
    throw new SlipwayError('NoPodLog', `Pod ${name} has no such log: ${classify(error).message}`);
  }
}
