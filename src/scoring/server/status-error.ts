import { status } from '@grpc/grpc-js';

import { QUEUE_RETRY_MS } from './limits.js';

/** A failure that the caller is told about, with its gRPC code. */
export class StatusError extends Error {
  override readonly name = 'StatusError';

  constructor(
    readonly code: status,
    message: string,
    /** Milliseconds after which the caller may try again; absent where the same call fails again. */
    readonly retryAfterMs?: number,
  ) {
    super(message);
  }

  /** What the caller is told about any failure: INTERNAL when nobody foresaw it. */
  static from(error: unknown): StatusError {
    return error instanceof StatusError ? error : new StatusError(status.INTERNAL, String(error));
  }
}

/** Why the signal of a call aborts, answered or not. Without a reason each abort would make an Error, with a stack trace. */
export const CALL_OVER = 'the call is over';

export const invalidArgument = (message: string) => new StatusError(status.INVALID_ARGUMENT, message);
export const resourceExhausted = (message: string) => new StatusError(status.RESOURCE_EXHAUSTED, message);
/** For now: what waits is scored, and then there is room. */
export const queueFull = (message: string) => new StatusError(status.RESOURCE_EXHAUSTED, message, QUEUE_RETRY_MS);
