import { ActivityFailure, ApplicationFailure, isCancellation, TimeoutFailure } from '@temporalio/workflow';
import type { FailureDetail } from '../deployment/errors.js';
import { clipMessage, FailureType } from '../deployment/errors.js';
import type { Progress, UndoProgress } from '../deployment/progress.js';
import type { Kind } from '../deployment/steps.js';

/** The innermost failure that an activity threw, or undefined where there is none (a bare timeout, a cancellation). */
export function thrownBy(error: unknown): ApplicationFailure | undefined {
  for (let failure = error; failure instanceof Error; failure = failure.cause) {
    if (failure instanceof ApplicationFailure) return failure;
  }
  return undefined;
}

/** What went wrong, from whatever reached the workflow. */
export function detailOf(error: unknown): FailureDetail {
  const thrown = thrownBy(error);
  const detail = thrown?.details?.[0];
  if (isDetail(detail)) return detail;
  if (thrown) return { code: thrown.type ?? 'Unknown', message: clipMessage(thrown.message) };
  if (isCancellation(error)) return { code: 'Cancelled', message: 'The deployment was cancelled.' };
  if (error instanceof ActivityFailure && error.cause instanceof TimeoutFailure) {
    return { code: 'TimedOut', message: `${error.activityType} gave no answer in time; is a worker running?` };
  }
  return { code: 'Internal', message: clipMessage(error instanceof Error ? error.message : String(error)) };
}

/** Whether an operation ended as failed for a transient reason, so that it may be begun again. */
export function isTransientEnd(error: unknown): boolean {
  return thrownBy(error)?.type === FailureType.OperationFailed;
}

/** Whether the only request that a begin sent was refused, so that nothing can have been created. */
export function isRefused(error: unknown): boolean {
  const detail = thrownBy(error)?.details?.[0];
  return isDetail(detail) && detail.rejected === true;
}

/** Whether it was thrown because something is not ready, or not gone, yet. */
export function isStillWaiting(error: unknown): boolean {
  const type = thrownBy(error)?.type;
  return type === FailureType.StillRunning || type === FailureType.StillPresent;
}

/** A wait whose time is over: the last state that was seen is the reason. Other ends of the last look stay what they are. */
export function budgetSpent(what: string, lastLook: unknown): unknown {
  const thrown = thrownBy(lastLook);
  if (thrown && !isStillWaiting(lastLook)) return lastLook;
  if (isCancellation(lastLook)) return lastLook;
  const seen = thrown?.details?.[0];
  const resource = isDetail(seen) ? seen.resource : undefined;
  const detail: FailureDetail = {
    code: 'BudgetSpent',
    message: `${what}: its time is over. Last seen: ${thrown?.message ?? 'no answer'}`,
    ...(resource ? { resource } : {}),
  };
  return ApplicationFailure.create({
    type: detail.code,
    message: detail.message,
    nonRetryable: true,
    details: [detail],
    ...(lastLook instanceof Error ? { cause: lastLook } : {}),
  });
}

/** How a deployment that was not to be ends, once everything has been undone or kept: with its first cause and what is left. */
export function deploymentFailed(
  cause: unknown,
  { undo, residue }: Pick<Progress, 'undo' | 'residue'>,
): ApplicationFailure {
  const detail = detailOf(cause);
  const undone = kindsThatAre('removed', undo);
  return ApplicationFailure.create({
    type: residue.length > 0 ? FailureType.DeploymentFailedWithResidue : FailureType.DeploymentFailed,
    message: clipMessage(`${detail.code}: ${detail.message} ${outcomeOf({ undo, residue })}.`),
    nonRetryable: true,
    details: [detail, { undone, residue }],
    ...(cause instanceof Error ? { cause } : {}),
  });
}

/** What became of what was begun, in words. */
function outcomeOf({ undo, residue }: Pick<Progress, 'undo' | 'residue'>): string {
  if (residue.length > 0) return `Not undone: ${residue.map(({ kind, ids }) => [kind, ...ids].join(' ')).join('; ')}`;
  const kept = kindsThatAre('kept', undo);
  if (kept.length > 0) return `Kept, not undone: ${kept.join(', ')}`;
  const undone = kindsThatAre('removed', undo);
  return undone.length > 0 ? `Undone: ${undone.join(', ')}` : 'Nothing had to be undone';
}

function kindsThatAre(wanted: UndoProgress['state'], undo: readonly UndoProgress[]): Kind[] {
  return undo.filter(({ state }) => state === wanted).map(({ kind }) => kind);
}

function isDetail(value: unknown): value is FailureDetail {
  return typeof value === 'object' && value !== null && 'code' in value && 'message' in value;
}
