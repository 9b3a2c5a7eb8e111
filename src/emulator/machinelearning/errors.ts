import { ArmError } from '../arm/errors.js';

/** What the caller did wrong, as Machine Learning says it: always `UserError`, the rest is in the message. */
export function userError(message: string, statusCode = 400): ArmError {
  return new ArmError(statusCode, 'UserError', message);
}

/** Machine Learning's own 404, which is not the gateway's. */
export function notFound(what: string): ArmError {
  return userError(`The specified resource was not found: ${what}.`, 404);
}
