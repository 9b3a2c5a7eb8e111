import { status } from '@grpc/grpc-js';

/** A failure that the caller is told about, with its gRPC code. */
export class StatusError extends Error {
  override readonly name = 'StatusError';

  constructor(
    readonly code: status,
    message: string,
  ) {
    super(message);
  }
}

export const invalidArgument = (message: string) => new StatusError(status.INVALID_ARGUMENT, message);
