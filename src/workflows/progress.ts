import {
  defineQuery,
  isCancellation,
  log,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { Identity } from '../deployment/names.js';
import type { DeploymentState, Progress, StepState } from '../deployment/progress.js';
import { PROGRESS_QUERY } from '../deployment/progress.js';
import type { Kind, Step } from '../deployment/steps.js';
import type { FailureDetail } from '../deployment/errors.js';
import { progressMarkdown } from './progress-markdown.js';
import { KEYS } from '../deployment/search-attributes.js';
import { DETAILS, type StepResults } from './step-results.js';

/** The query that answers how far a deployment is. */
export const progressQuery = defineQuery<Progress>(PROGRESS_QUERY);

export interface ProgressOptions {
  readonly identity: Identity;
  readonly state: DeploymentState;
  readonly steps: readonly Step[];
  readonly searchAttributes: boolean;
}

/**
 * How far a deployment is: one table that the `progress` query, Temporal's UI (current details, search attributes) and the
 * worker's log are fed from. It shows steps, not looks: the state of a wait is the pending activity's last failure.
 */
export class ProgressTable {
  readonly table: Progress;
  private readonly searchAttributes: boolean;
  /** The step that can be searched for. */
  private searched: Step | undefined;

  constructor({ identity, state, steps, searchAttributes }: ProgressOptions) {
    this.table = {
      service: identity.service,
      deploymentId: identity.deploymentId,
      state,
      steps: steps.map((name) => ({ name, state: 'pending' })),
      undo: [],
      residue: [],
    };
    this.searchAttributes = searchAttributes;
    setHandler(progressQuery, () => this.table);
    this.publish([
      { key: KEYS.service, value: identity.service },
      { key: KEYS.state, value: state },
    ]);
  }

  /** Runs one step and records its start, its end and what came of it. */
  step = async <S extends Step>(name: S, run: () => Promise<StepResults[S]>): Promise<StepResults[S]> => {
    const result = await this.running(name, run);
    this.mark(name, 'done', DETAILS[name](result));
    return result;
  };

  /**
   * Looks whether steps are needless, and marks them as skipped when something was found, with what `details` says of it.
   * Meanwhile `first` shows as running.
   */
  skipIf = async <T>(
    first: Step,
    look: () => Promise<T | undefined>,
    details: Partial<Record<Step, (found: T) => string>>,
  ): Promise<T | undefined> => {
    const found = await this.running(first, look);
    if (found === undefined) return undefined;
    for (const { name } of this.table.steps) {
      const detail = details[name];
      if (detail) this.mark(name, 'skipped', detail(found));
    }
    return found;
  };

  /** The deployment as a whole changes its state. */
  enter(state: DeploymentState, failure?: FailureDetail): void {
    this.table.state = state;
    if (failure) this.table.failure = failure;
    log.info('deployment', { service: this.table.service, state, ...(failure ? { code: failure.code } : {}) });
    this.publish([{ key: KEYS.state, value: state }]);
  }

  /** Announces what will be undone, in order. */
  planUndo(kinds: readonly Kind[], state: 'pending' | 'kept' = 'pending'): void {
    this.table.undo = kinds.map((kind) => ({ kind, state, removed: [] }));
    this.publish();
  }

  /** Records how the removal of one kind went. */
  undo(kind: Kind, state: 'running' | 'removed' | 'residue', removed: readonly string[] = [], reason?: string): void {
    const row = this.table.undo.find((entry) => entry.kind === kind);
    if (!row) return;
    row.state = state;
    row.removed.push(...removed);
    if (reason) row.reason = reason;
    log.info('undo', { service: this.table.service, kind, state, ...(reason ? { reason } : {}) });
    this.publish();
  }

  /** Records something of ours that could not be removed. */
  leave(kind: Kind, ids: readonly string[], reason: string): void {
    this.table.residue.push({ kind, ids: [...ids], reason });
    this.publish([{ key: KEYS.residue, value: true }]);
  }

  /** Seconds each step took, for the result. */
  timings(): { step: Step; seconds: number }[] {
    return this.table.steps.flatMap(({ name, startedAt, endedAt }) =>
      startedAt === undefined || endedAt === undefined ? [] : [{ step: name, seconds: (endedAt - startedAt) / 1000 }],
    );
  }

  private async running<T>(name: Step, run: () => Promise<T>): Promise<T> {
    this.mark(name, 'running');
    try {
      return await run();
    } catch (error) {
      this.mark(name, isCancellation(error) ? 'cancelled' : 'failed');
      throw error;
    }
  }

  private mark(name: Step, state: StepState, detail?: string): void {
    const row = this.table.steps.find((entry) => entry.name === name);
    if (!row || row.state === state) return;
    row.state = state;
    if (state === 'running') row.startedAt = Date.now();
    else row.endedAt = Date.now();
    if (detail) row.detail = detail;
    log.info('step', { service: this.table.service, step: name, state, ...(detail ? { detail } : {}) });
    const step = this.stepOfInterest();
    const isNews = step !== undefined && step !== this.searched;
    this.searched = step ?? this.searched;
    this.publish(isNews ? [{ key: KEYS.step, value: step }] : []);
  }

  /** The step that failed, or else the first of those that run; undefined between two steps. */
  private stepOfInterest(): Step | undefined {
    const inState = (state: StepState) => this.table.steps.find((step) => step.state === state)?.name;
    return inState('failed') ?? inState('running');
  }

  private publish(attributes: Parameters<typeof upsertSearchAttributes>[0] & unknown[] = []): void {
    setCurrentDetails(progressMarkdown(this.table));
    if (this.searchAttributes && attributes.length > 0) upsertSearchAttributes(attributes);
  }
}
