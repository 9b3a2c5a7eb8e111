import type { TeardownInput } from '../deployment/input.js';
import type { TeardownResult } from '../deployment/result.js';
import { TEARDOWN_ORDER } from '../deployment/steps.js';
import { activitiesWith } from './activities.js';
import { deploymentFailed, detailOf } from './failure.js';
import { ProgressTable } from './progress.js';
import { removeInOrder } from './saga.js';

/**
 * Takes a live service down: service, image, registered model, converted model, then what is left of the conversion and the
 * right to pull. The cluster goes only when asked, when a deployment of this service created it and nothing else runs on it.
 */
export async function teardown(input: TeardownInput): Promise<TeardownResult> {
  const { identity } = input;
  const activities = activitiesWith(0);
  const progress = new ProgressTable({ ...input, state: 'deleting', steps: [] });

  const location = await activities.findService({ identity }).catch((error: unknown) => {
    progress.enter('failed', detailOf(error));
    throw error;
  });
  const withCluster = input.withCluster && location.clusterHeldBy === undefined;
  const kinds = TEARDOWN_ORDER.filter((kind) => kind !== 'cluster' || withCluster);
  const target = {
    identity,
    scope: 'service' as const,
    ...(location.cluster ? { cluster: location.cluster } : {}),
  };
  const residue = await removeInOrder(kinds, { activities, progress, target });

  if (residue.length > 0) {
    const cause = new Error('Something could not be removed; the same command tries again');
    progress.enter('failed');
    throw deploymentFailed(cause, removedKinds(progress), residue);
  }
  progress.enter('deleted');
  return {
    service: identity.service,
    removed: progress.table.undo
      .filter(({ removed }) => removed.length > 0)
      .map(({ kind, removed }) => ({ kind, ids: removed })),
    residue,
    ...(input.withCluster && location.clusterHeldBy ? { clusterHeldBy: location.clusterHeldBy } : {}),
  };
}

function removedKinds(progress: ProgressTable): string[] {
  return progress.table.undo.filter(({ state }) => state === 'removed').map(({ kind }) => kind);
}
