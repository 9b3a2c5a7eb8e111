import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { SlipwayError } from '../deployment/errors.js';
import { PROGRESS_QUERY, type Progress } from '../deployment/progress.js';
import type { DeployResult, TeardownResult } from '../deployment/result.js';
import type { WorkflowName } from '../deployment/temporal.js';
import { ChangeFailed, changeFailure } from './failures.js';
import { QUERY_TIMEOUT_MS, WATCH_INTERVAL_MS } from './limits.js';
import { pendingWaits, type Snapshot } from './snapshot.js';
import { missingWorker } from './task-queue.js';
import { askTemporal } from './temporal.js';

/** What a change ends with. */
export interface ChangeResults {
  readonly deploy: DeployResult;
  readonly teardown: TeardownResult;
}

/** One run of a workflow that changes a service. */
export class ChangeHandle<Name extends WorkflowName = WorkflowName> {
  private readonly workflow: WorkflowHandle;

  constructor(
    private readonly client: Client,
    /** What it does. */
    readonly change: Name,
    readonly service: string,
    /** The deployment's id; of a teardown, its own. */
    readonly id: string,
    readonly workflowId: string,
    readonly runId: string,
  ) {
    this.workflow = client.workflow.getHandle(workflowId, runId);
  }

  /**
   * How far it is.
   *
   * @throws when no worker answers
   */
  progress(): Promise<Progress> {
    return this.client.withDeadline(Date.now() + QUERY_TIMEOUT_MS, () => this.workflow.query<Progress>(PROGRESS_QUERY));
  }

  /**
   * Its end.
   *
   * @throws ChangeFailed when it failed or was cancelled, with what was undone and what is left
   */
  async result(): Promise<ChangeResults[Name]> {
    try {
      // The workflow of this name answers this type; see src/workflows.
      return (await askTemporal(() => this.workflow.result())) as ChangeResults[Name];
    } catch (error) {
      throw await this.withOutcome(changeFailure(error));
    }
  }

  /** Temporal drops the details of a cancellation: what was undone is then in the step table only. */
  private async withOutcome(failure: unknown): Promise<unknown> {
    if (!(failure instanceof ChangeFailed) || !failure.cancelled) return failure;
    const progress = await this.progress().catch(() => undefined);
    if (!progress) return failure;
    const undone = progress.undo.filter(({ state }) => state === 'removed').map(({ kind }) => kind);
    return new ChangeFailed(failure.detail, { undone, residue: progress.residue, cancelled: true });
  }

  /**
   * Asks it to stop; what was begun is undone. Returns at once: the undo is watched like the rest.
   *
   * @throws SlipwayError `NothingRuns` when it has ended
   */
  async cancel(): Promise<void> {
    const { status } = await askTemporal(() => this.workflow.describe());
    if (status.name !== 'RUNNING') {
      throw new SlipwayError('NothingRuns', `The last ${this.change} of ${this.service} has ended: ${status.name}`);
    }
    await this.workflow.cancel();
  }

  /**
   * Looks at it until it has ended; the last look is of its end.
   *
   * @throws SlipwayError `TemporalUnreachable` when that does not answer for longer than the client retries
   */
  async *watch({ signal }: { signal?: AbortSignal } = {}): AsyncGenerator<Snapshot, void> {
    let seen: number | undefined;
    let progress: Progress | undefined;
    for (;;) {
      const description = await askTemporal(() => this.workflow.describe());
      const open = description.status.name === 'RUNNING';
      let workerAbsent = false;
      let noWorker: string | undefined;
      // The table changes only with the history: no question is asked of a worker that would get the same answer.
      if (description.historyLength !== seen) {
        try {
          progress = await this.progress();
          seen = description.historyLength;
        } catch {
          workerAbsent = true;
          noWorker = await missingWorker(this.client);
        }
      }
      yield {
        ...(progress ? { progress } : {}),
        waits: pendingWaits(description),
        open,
        workerAbsent,
        ...(noWorker === undefined ? {} : { noWorker }),
      };
      if (!open || signal?.aborted) return;
      await sleep(WATCH_INTERVAL_MS, undefined, signal ? { signal } : {}).catch(() => undefined);
      if (signal?.aborted) return;
    }
  }
}

export type DeploymentHandle = ChangeHandle<'deploy'>;
export type TeardownHandle = ChangeHandle<'teardown'>;
