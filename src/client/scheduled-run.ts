import {
  type Client,
  type ScheduleExecutionResult,
  WorkflowFailedError,
  type WorkflowHandle,
  WorkflowNotFoundError,
} from '@temporalio/client';
import type { RedeployResult } from '../deployment/result.js';

/** One run of a schedule: a redeploy. */
export interface ScheduledRun {
  readonly workflowId: string;
  readonly runId: string;
  readonly startedAt: Date;
  readonly endedAt?: Date;
  /** `forgotten`: it ended longer ago than the namespace keeps what has ended. */
  readonly outcome: 'running' | RedeployResult['outcome'] | 'failed' | 'cancelled' | 'terminated' | 'forgotten';
  /** Why it failed or was skipped, or the model version that is live: `name:version`. */
  readonly detail?: string;
}

/** Asks Temporal how a run of a schedule is, or ended. */
export async function lookAtRun(client: Client, { takenAt, action }: ScheduleExecutionResult): Promise<ScheduledRun> {
  const { workflowId, firstExecutionRunId: runId } = action.workflow;
  const handle = client.workflow.getHandle(workflowId, runId);
  const run = { workflowId, runId, startedAt: takenAt };
  try {
    const { status, closeTime } = await handle.describe();
    return { ...run, ...(closeTime ? { endedAt: closeTime } : {}), ...(await endOf(handle, status.name)) };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { ...run, outcome: 'forgotten' };
    throw error;
  }
}

async function endOf(handle: WorkflowHandle, status: string): Promise<Pick<ScheduledRun, 'outcome' | 'detail'>> {
  switch (status) {
    case 'RUNNING':
      return { outcome: 'running' };
    case 'COMPLETED': {
      // The workflow `redeploy` answers this type.
      const result = (await handle.result()) as RedeployResult;
      const detail = result.outcome === 'skipped' ? result.reason : result.source;
      return { outcome: result.outcome, detail };
    }
    case 'CANCELLED':
      return { outcome: 'cancelled' };
    case 'TERMINATED':
      return { outcome: 'terminated' };
    default:
      return { outcome: 'failed', detail: await reasonOf(handle) };
  }
}

/** What a failed run says of itself: whether the old release serves on, and why it failed. */
async function reasonOf(handle: WorkflowHandle): Promise<string> {
  try {
    await handle.result();
    return '';
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    return (error.cause?.message ?? error.message).replace(/^failed, /, '');
  }
}
