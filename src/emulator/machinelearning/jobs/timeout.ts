import { badRequest } from '../../arm/errors.js';

/** Milliseconds of an ISO 8601 duration of days and below, such as `PT1H30M`. Throws ArmError when it is not one. */
export function timeoutMs(duration: string): number {
  const match = /^P(?=.)(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(duration);
  if (match === null) throw badRequest('UserError', `The timeout '${duration}' is not an ISO 8601 duration.`);
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0));
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000;
}
