import type { Kind, Step } from './steps.js';
import type { FailureDetail } from './errors.js';

export type StepState = 'pending' | 'running' | 'done' | 'failed' | 'cancelled' | 'skipped';

/** One row of the step table. Times are milliseconds since the epoch, as the workflow saw them. */
export interface StepProgress {
  readonly name: Step;
  state: StepState;
  startedAt?: number;
  endedAt?: number;
  /** What came of it or what it waits for, in a few words: `version 3`, `sha256:12ab…`, `reused`. */
  detail?: string;
}

/** One row of the undo: what was removed, or could not be. */
export interface UndoProgress {
  readonly kind: Kind;
  state: 'pending' | 'running' | 'removed' | 'residue' | 'kept';
  /** Ids of what was removed. */
  removed: string[];
  /** Why it is residue. */
  reason?: string;
}

/** Something that is ours and could not be removed. */
export interface Residue {
  readonly kind: Kind;
  readonly ids: string[];
  readonly reason: string;
}

export type DeploymentState =
  'running' | 'undoing' | 'deployed' | 'unchanged' | 'failed' | 'cancelled' | 'deleting' | 'deleted';

/** What the `progress` query of a deployment or teardown answers. */
export interface Progress {
  readonly service: string;
  readonly deploymentId: string;
  state: DeploymentState;
  steps: StepProgress[];
  undo: UndoProgress[];
  residue: Residue[];
  failure?: FailureDetail;
}

/** Name of the query that answers {@link Progress}. */
export const PROGRESS_QUERY = 'progress';
