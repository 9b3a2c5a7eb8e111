/**
 * An error of Container Service itself. It is not wrapped in `error` as Resource Manager's are, and has members of its
 * own; from recordings of the real service.
 */
export class ContainerServiceError extends Error {
  override readonly name = 'ContainerServiceError';

  constructor(
    readonly statusCode: number,
    readonly code: string,
    message: string,
    readonly target?: string,
  ) {
    super(message);
  }

  /** The body of the response. */
  toBody(): Record<string, unknown> {
    const { code, message, target } = this;
    return { code, details: null, message, subcode: '', ...(target === undefined ? {} : { target }) };
  }
}

/** 409 while another operation runs on a cluster. */
export function operationInProgress(state: string): ContainerServiceError {
  return new ContainerServiceError(
    409,
    'OperationNotAllowed',
    `Operation is not allowed: Another operation (${state}) is in progress, please wait for it to finish before starting a ` +
      'new operation. See https://aka.ms/aks-pending-operation for more details',
  );
}

/** 412 for a request whose `If-Match` or `If-None-Match` does not hold. */
export function preconditionFailed(name: string): ContainerServiceError {
  return new ContainerServiceError(
    412,
    'PreconditionFailed',
    `The condition '${name}' set in the header of the request was not met by the managed cluster.`,
  );
}

/** 400 for a parameter that is missing or wrong. */
export function invalidParameter(message: string, target?: string): ContainerServiceError {
  return new ContainerServiceError(400, 'InvalidParameter', message, target);
}
