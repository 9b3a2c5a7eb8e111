import { CancellationScope, CancelledFailure, isCancellation } from '@temporalio/workflow';
import type { DeploymentActivities, RemovalInput } from '../deployment/activities.js';
import { REMOVALS } from '../deployment/activities.js';
import { namesOf } from '../deployment/names.js';
import type { Residue } from '../deployment/progress.js';
import type { Kind } from '../deployment/steps.js';
import { RANK } from '../deployment/steps.js';
import { deploymentFailed, detailOf, isRefused } from './failure.js';
import type { ProgressTable } from './progress.js';
import { COMMIT_WINDOW_MS } from './timeouts.js';

type Target = Omit<RemovalInput, 'absentAfter' | 'clusterGoesToo'>;

export interface SagaOptions {
  readonly activities: DeploymentActivities;
  readonly progress: ProgressTable;
  /** What an undo is about: by name and mark, known from the input alone. */
  readonly target: Target;
  readonly onFailure: 'undo' | 'keep';
}

/**
 * Undoes what a deployment began. The undo is registered before the do, because a begin that timed out may have succeeded;
 * it runs by the fixed rank of kinds, not by the order in which things happened; it cannot be cancelled, carries on past a
 * failing removal, and reports what is left as residue.
 */
export class Saga {
  /** Kinds that may exist, with the moment from which their absence is believed (0: at once). */
  private readonly begun = new Map<Kind, number>();

  constructor(private readonly options: SagaOptions) {}

  /** Does something that makes a `kind`; from before it starts until the deployment is done, that kind is to be undone. */
  async doing<T>(kind: Kind, begin: () => Promise<T>): Promise<T> {
    if (CancellationScope.current().consideredCancelled)
      throw new CancelledFailure(`Cancelled before ${kind} was begun`);
    this.begun.set(kind, this.begun.get(kind) ?? 0);
    try {
      return await begin();
    } catch (error) {
      if (!isRefused(error)) this.begun.set(kind, Date.now() + COMMIT_WINDOW_MS);
      throw error;
    }
  }

  /** What was begun has become what is wanted: nothing of it is undone any more. */
  commit(): void {
    this.begun.clear();
  }

  /** Runs the whole; a failure or cancellation of it is undone, and then thrown with what was undone and what is left. */
  async run<T>(whole: () => Promise<T>): Promise<T> {
    try {
      return await whole();
    } catch (cause) {
      await this.compensate(cause);
      throw this.outcome(cause);
    }
  }

  private async compensate(cause: unknown): Promise<void> {
    const { progress, onFailure } = this.options;
    const kinds = RANK.filter((kind) => this.begun.has(kind));
    if (onFailure === 'keep') {
      progress.planUndo(kinds, 'kept');
    } else {
      progress.enter('undoing', detailOf(cause));
      await removeInOrder(kinds, this.options, (kind) => this.begun.get(kind) ?? 0);
    }
    progress.enter(isCancellation(cause) ? 'cancelled' : 'failed', detailOf(cause));
  }

  private outcome(cause: unknown): Error {
    // A cancelled workflow ends without details: what was undone and what is left stay in the progress query.
    if (isCancellation(cause)) return new CancelledFailure('Cancelled; what was begun was undone');
    return deploymentFailed(cause, this.options.progress.table);
  }
}

/**
 * Removes the kinds one after the other, each verified absent before the next, whatever cancels. A removal that fails for
 * good leaves residue and does not stop the rest.
 */
export async function removeInOrder(
  kinds: readonly Kind[],
  { activities, progress, target }: Omit<SagaOptions, 'onFailure'>,
  absentAfter: (kind: Kind) => number = () => 0,
): Promise<readonly Residue[]> {
  progress.planUndo(kinds);
  return CancellationScope.nonCancellable(async () => {
    const clusterGoesToo = kinds.includes('cluster');
    for (const kind of kinds) {
      progress.undo(kind, 'running');
      try {
        const { removed } = await activities[REMOVALS[kind]]({
          ...target,
          clusterGoesToo,
          absentAfter: absentAfter(kind),
        });
        progress.undo(kind, 'removed', removed);
      } catch (error) {
        const { code, message, resource } = detailOf(error);
        progress.undo(kind, 'residue', [], `${code}: ${message}`);
        progress.leave(kind, resource ? [resource] : namesOf(kind, target), `${code}: ${message}`);
      }
    }
    return progress.table.residue;
  });
}
