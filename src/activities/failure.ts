import { Context } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory, TemporalFailure } from '@temporalio/common';
import { ruleFor } from '../azure/failure-rules.js';
import { classify, classifyOperation, type Classification } from '../azure/failures.js';
import { clipMessage, FailureType, MESSAGE_LIMIT, SlipwayError, type FailureDetail } from '../deployment/errors.js';
import { LONGEST_DELAY_SECONDS, lookInterval, SLOW_RETRY_SECONDS, SMALLEST_DELAY_SECONDS } from './intervals.js';

/** What an activity knows of the attempt it runs in. */
export interface Attempt {
  /** Passed to every request: aborted when the activity is cancelled and before its startToClose ends. */
  readonly abortSignal: AbortSignal;
  /** From 1. */
  readonly number: number;
  /** Seconds since the first attempt was scheduled: how long the wait has been going on. */
  readonly ageSeconds: number;
  /** Seconds until scheduleToClose, or undefined when there is none. */
  readonly remainingSeconds: number | undefined;
}

/** Share of startToClose after which requests are aborted: past it, no request of this attempt can be under way. */
const ABORT_AT = 0.9;

/**
 * Makes an activity of a function: aborts its requests before the attempt's startToClose and on cancellation, and turns what
 * it throws into an ApplicationFailure as `DeploymentActivities` promises.
 */
export function activity<I, O>(run: (input: I, attempt: Attempt) => Promise<O>): (input: I) => Promise<O> {
  return async (input) => {
    const context = Context.current();
    const { info } = context;
    const ageSeconds = (Date.now() - info.scheduledTimestampMs) / 1000;
    const attempt: Attempt = {
      abortSignal: AbortSignal.any([
        context.cancellationSignal,
        AbortSignal.timeout(Math.round(info.startToCloseTimeoutMs * ABORT_AT)),
      ]),
      number: info.attempt,
      ageSeconds,
      remainingSeconds:
        info.scheduleToCloseTimeoutMs > 0 ? info.scheduleToCloseTimeoutMs / 1000 - ageSeconds : undefined,
    };
    try {
      return await run(input, attempt);
    } catch (error) {
      // Cancellation is not a failure of the service: Temporal's own reason is passed on.
      if (context.cancellationSignal.aborted) return await context.cancelled;
      throw toFailure(error, attempt);
    }
  };
}

/** Turns anything thrown into the failure that a workflow decides on. Failures that are Temporal's already stay as they are. */
export function toFailure(
  error: unknown,
  attempt: Pick<Attempt, 'number'> & Partial<Pick<Attempt, 'remainingSeconds'>>,
): TemporalFailure {
  return error instanceof TemporalFailure ? error : failureOf(classify(error), error, attempt);
}

/**
 * Like {@link toFailure} where the activity itself knows how long to wait for what only someone else can mend (quota,
 * permissions): until then it is tried again slowly, though we found it out ourselves; after it, it is final.
 *
 * @param patienceMinutes from the activity's first attempt
 */
export function patiently(error: unknown, attempt: Attempt, patienceMinutes: number): TemporalFailure {
  if (error instanceof TemporalFailure) return error;
  const judged = classify(error);
  const rule = error instanceof SlipwayError ? ruleFor(judged.code, judged.message) : judged;
  if (rule.class !== 'retrySlowly') return failureOf(judged, error, attempt);
  const left = patienceMinutes * 60 - attempt.ageSeconds;
  if (left <= 0) return failureOf({ ...judged, class: 'fatal' }, error, attempt);
  const remainingSeconds = Math.min(left, attempt.remainingSeconds ?? left);
  return failureOf({ ...judged, class: rule.class, reason: rule.reason }, error, { ...attempt, remainingSeconds });
}

function failureOf(
  judged: Classification,
  error: unknown,
  attempt: Pick<Attempt, 'number'> & Partial<Pick<Attempt, 'remainingSeconds'>>,
): ApplicationFailure {
  const detail = detailOf(judged);
  if (judged.class === 'fatal') {
    // An earlier attempt's request may have been carried out unseen; only a first one with an answer proves that none was.
    const rejected = attempt.number === 1 && (isRefusal(judged) || error instanceof SlipwayError);
    const failure = ApplicationFailure.create({
      message: detail.message,
      type: judged.code,
      nonRetryable: true,
      details: [rejected ? { ...detail, rejected } : detail],
    });
    return withStackOf(error, failure);
  }
  const wanted = judged.retryAfterSeconds ?? (judged.class === 'retrySlowly' ? SLOW_RETRY_SECONDS : undefined);
  const message = judged.class === 'retrySlowly' ? `waiting: ${judged.reason} (${detail.message})` : detail.message;
  const failure = ApplicationFailure.create({
    message: clipMessage(message),
    type: judged.code,
    details: [detail],
    ...(wanted !== undefined && { nextRetryDelay: delayOf(Math.min(wanted, LONGEST_DELAY_SECONDS), attempt) }),
  });
  return withStackOf(error, failure);
}

/** Shows where it was thrown. The error itself is not made the cause: its text may be of any length, and history keeps it. */
function withStackOf(error: unknown, failure: ApplicationFailure): ApplicationFailure {
  if (error instanceof Error && error.stack) failure.stack = error.stack.slice(0, MESSAGE_LIMIT);
  return failure;
}

export interface LookOptions {
  /** What the service asked for; wins over the interval. */
  readonly retryAfterSeconds?: number | undefined;
  readonly ageSeconds: number;
  readonly remainingSeconds?: number | undefined;
  /** What is waited for: the residue, when a removal's time is over. */
  readonly resource?: string;
}

/** What an `await…` throws while its resource is not ready. The message is the state, for people: "AKS cluster is Creating, 4 min". */
export function stillRunning(message: string, look: LookOptions): ApplicationFailure {
  return benign(FailureType.StillRunning, message, look);
}

/** What a `remove…` throws until absence is certain. */
export function stillPresent(message: string, look: LookOptions): ApplicationFailure {
  return benign(FailureType.StillPresent, message, look);
}

function benign(type: string, message: string, look: LookOptions): ApplicationFailure {
  const wanted = look.retryAfterSeconds ?? lookInterval(look.ageSeconds);
  const text = clipMessage(message);
  const failure = ApplicationFailure.create({
    message: text,
    type,
    category: ApplicationFailureCategory.BENIGN,
    nextRetryDelay: delayOf(wanted, look),
    details: [
      {
        code: type,
        message: text,
        ...(look.resource !== undefined && { resource: look.resource }),
      } satisfies FailureDetail,
    ],
  });
  // A wait is no error: where it was thrown would only stand between a person and the state.
  failure.stack = '';
  return failure;
}

/**
 * What an `await…` throws when its operation ended as failed: a transient code asks the workflow to begin again
 * (`OperationFailed`), any other is final.
 *
 * @param failure the service's own code and message, read from the resource
 */
export function operationFailed(failure: {
  code: string;
  message: string;
  fix?: string;
  resource?: string;
}): TemporalFailure {
  const judged = classifyOperation(failure);
  const fix = failure.fix ?? judged.fix;
  const detail: FailureDetail = {
    ...detailOf(judged),
    ...(fix !== undefined && { fix }),
    ...(failure.resource !== undefined && { resource: failure.resource }),
  };
  return ApplicationFailure.create({
    message: detail.message,
    type: judged.class === 'fatal' ? judged.code : FailureType.OperationFailed,
    nonRetryable: true,
    details: [detail],
  });
}

function detailOf(judged: Classification): FailureDetail {
  return {
    code: judged.code,
    message: clipMessage(judged.message),
    ...(judged.fix !== undefined && { fix: judged.fix }),
    ...(judged.requestId !== undefined && { requestId: judged.requestId }),
  };
}

/** A 4xx is a definite refusal, except 408, which says that the service never saw the whole request. */
function isRefusal({ status }: Classification): boolean {
  return status !== undefined && status >= 400 && status < 500 && status !== 408;
}

/** Milliseconds until the next attempt: not a tight loop, and not past the end of the budget. */
function delayOf(seconds: number, { remainingSeconds = seconds }: { remainingSeconds?: number | undefined }): number {
  return Math.round(Math.max(SMALLEST_DELAY_SECONDS, Math.min(seconds, remainingSeconds)) * 1000);
}
