import { status, type ServiceError } from '@grpc/grpc-js';

import type { ConnectionProblem } from './connection-problem.js';

/** Name of a gRPC status, such as `INVALID_ARGUMENT`. */
export type StatusName = keyof typeof status;

/** A call that failed. The message is the server's own, or says what stood in the way of reaching it. */
export class PredictError extends Error {
  override readonly name = 'PredictError';
  /** Why there was no connection, where that was found out. */
  readonly problem: ConnectionProblem | undefined;

  constructor(
    readonly code: StatusName,
    message: string,
    { problem, ...options }: ErrorOptions & { problem?: ConnectionProblem | undefined } = {},
  ) {
    super(message, options);
    this.problem = problem;
  }

  /**
   * @param error what gRPC gave
   * @param before the last attempt that was repeated, which is the reason when time ran out after it
   */
  static from(error: ServiceError, before?: ServiceError): PredictError {
    // grpc-js gives only codes of its own enum, which maps back to names.
    const code = status[error.code] as StatusName;
    const reason =
      code === 'DEADLINE_EXCEEDED' && before ? `${error.details}; before: ${before.details}` : error.details;
    return new PredictError(code, reason, { cause: error });
  }
}
