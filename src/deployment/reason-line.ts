/** Why a Python program of ours failed, as it said itself. */
export interface Reason {
  readonly code: string;
  readonly message: string;
  readonly fix?: string;
}

/** The line with which they say so; see conversion/errors.py. */
const REASON = /^slipway: error=(\S+) message=(.*?)(?: fix=(.*))?$/;

/** The reason that a line gives; undefined for a line that is none. */
export function parseReason(line: string): Reason | undefined {
  const [, code, message, fix] = REASON.exec(line) ?? [];
  if (code === undefined || message === undefined) return undefined;
  return { code, message, ...(fix === undefined ? {} : { fix }) };
}
