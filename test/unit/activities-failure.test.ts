import { createHttpHeaders, createPipelineRequest, RestError } from '@azure/core-rest-pipeline';
import { type ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import {
  activity,
  operationFailed,
  stillPresent,
  stillRunning,
  toFailure,
  type Attempt,
} from '../../src/activities/failure.js';
import { FailureType, MESSAGE_LIMIT, SlipwayError, type FailureDetail } from '../../src/deployment/errors.js';

const refused = new RestError('no', { statusCode: 400, code: 'InvalidParameter' });

describe('what an activity throws', () => {
  const outage = new RestError('x', { statusCode: 503 });
  const quota = new RestError('x', { statusCode: 400, code: 'QuotaExceeded' });
  it.each<[string, Error, number, Partial<ApplicationFailure>, boolean?]>([
    ['a refusal of the first attempt', refused, 1, { nonRetryable: true, type: 'InvalidParameter' }, true],
    ['a refusal of a later one', refused, 2, { nonRetryable: true, type: 'InvalidParameter' }],
    ['an error of ours', new SlipwayError('PhotoMissing', 'm'), 1, { nonRetryable: true, type: 'PhotoMissing' }, true],
    ['one of a later attempt', new SlipwayError('NameConflict', 'm'), 2, { nonRetryable: true, type: 'NameConflict' }],
    ['an outage', outage, 1, { nonRetryable: false, type: 'HTTP503', nextRetryDelay: undefined }],
    ['quota', quota, 1, { nonRetryable: false, nextRetryDelay: 60_000 }],
  ])('tells the workflow about %s', (_case, error, number, expected, rejected) => {
    const failure = toFailure(error, { number }) as ApplicationFailure;
    expect(failure).toMatchObject(expected);
    const detail = failure.details?.[0] as FailureDetail;
    expect(detail.code).toBe(failure.type);
    expect(detail.rejected).toBe(rejected);
  });

  it.each([
    ['2', undefined, 2000],
    ['0', undefined, 200],
    ['3600', undefined, 60_000],
    ['30', 10, 10_000],
  ])(
    'comes back from an outage after Retry-After %s with %s s left in %i ms',
    (retryAfter, remainingSeconds, delay) => {
      const request = createPipelineRequest({ url: 'https://x' });
      const headers = createHttpHeaders({ 'retry-after': retryAfter });
      const throttled = new RestError('x', { statusCode: 503, request, response: { request, headers, status: 503 } });
      expect(toFailure(throttled, { number: 2, remainingSeconds })).toMatchObject({ nextRetryDelay: delay });
    },
  );

  it('says what a slow retry waits for', () => {
    const failure = toFailure(new RestError('Insufficient quota', { statusCode: 400, code: 'QuotaExceeded' }), {
      number: 1,
    });
    expect(failure.message).toContain('waiting: quota');
    expect(failure.message).toContain('Insufficient quota');
  });

  it('is short, whatever the service wrote', () => {
    const failure = toFailure(new Error('x'.repeat(100_000)), { number: 1 });
    expect(failure.message.length).toBeLessThanOrEqual(MESSAGE_LIMIT);
    expect(failure.stack?.length).toBeLessThanOrEqual(MESSAGE_LIMIT);
    expect(JSON.stringify((failure as ApplicationFailure).details).length).toBeLessThan(2 * MESSAGE_LIMIT);
  });
});

describe('a wait', () => {
  it.each([
    ['begins at 15 s', { ageSeconds: 0 }, 15_000],
    ['grows with its age', { ageSeconds: 300 }, 30_000],
    ['stays at 60 s', { ageSeconds: 7200 }, 60_000],
    ['follows Retry-After', { ageSeconds: 7200, retryAfterSeconds: 1 }, 1000],
    ['is never a tight loop', { ageSeconds: 0, retryAfterSeconds: 0 }, 200],
    ['fits into what is left of the budget', { ageSeconds: 590, remainingSeconds: 10 }, 10_000],
  ])('%s', (_case, look, delay) => {
    expect(stillRunning('AKS cluster is Creating', look)).toMatchObject({
      type: FailureType.StillRunning,
      message: 'AKS cluster is Creating',
      nonRetryable: false,
      category: 'BENIGN',
      nextRetryDelay: delay,
    });
  });

  it('for an absence has its own type', () => {
    expect(stillPresent('x', { ageSeconds: 0 }).type).toBe(FailureType.StillPresent);
  });
});

it.each([
  ['AllocationFailed', FailureType.OperationFailed],
  ['UserError', 'UserError'],
])('an operation that failed with %s ends the wait as %s', (code, type) => {
  expect(operationFailed({ code, message: 'why' })).toMatchObject({ type, nonRetryable: true, message: 'why' });
});

describe('an activity', () => {
  it('aborts its requests before its time is over', async () => {
    const environment = new MockActivityEnvironment({ startToCloseTimeoutMs: 50, scheduledTimestampMs: Date.now() });
    const hangs = activity(
      (_input: string, { abortSignal }) =>
        new Promise<never>((_resolve, reject) => {
          abortSignal.addEventListener('abort', () => reject(abortSignal.reason as Error));
        }),
    );
    await expect(environment.run(hangs, 'x')).rejects.toMatchObject({ type: 'RequestTimedOut', nonRetryable: false });
  });

  it('ends as cancelled when it is cancelled, whatever its request threw', async () => {
    const environment = new MockActivityEnvironment({ startToCloseTimeoutMs: 60_000 });
    const interrupted = activity(async (_input: string, { abortSignal }) => {
      environment.cancel();
      abortSignal.throwIfAborted();
    });
    await expect(environment.run(interrupted, 'x')).rejects.toBeInstanceOf(CancelledFailure);
  });

  it('knows its attempt and how long it has been waiting', async () => {
    const environment = new MockActivityEnvironment({
      attempt: 3,
      scheduledTimestampMs: Date.now() - 120_000,
      scheduleToCloseTimeoutMs: 600_000,
      startToCloseTimeoutMs: 60_000,
    });
    const attempt: Attempt = await environment.run(
      activity(async (_input: string, each) => each),
      'x',
    );
    expect(attempt.number).toBe(3);
    expect(Math.round(attempt.ageSeconds)).toBe(120);
    expect(Math.round(attempt.remainingSeconds ?? 0)).toBe(480);
  });
});
