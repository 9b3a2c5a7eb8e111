import type { AzureConnection } from '../azure/connection.js';
import type { Job } from '../azure/jobs.js';
import { LOG_TAIL_LINES } from '../azure/limits.js';
import { SlipwayError } from '../deployment/errors.js';
import type { Identity } from '../deployment/names.js';
import { parseReason } from '../deployment/reason-line.js';
import { operationFailed } from './failure.js';
import { readLogEnd } from './job-log.js';

/** Why a job failed: its own last word where it had one, else Azure ML's, with the last lines of its log. */
export async function jobFailure(
  azure: AzureConnection,
  identity: Identity,
  job: Job,
  abortSignal: AbortSignal,
): Promise<Error> {
  return explainFailure(job, await readLogEnd(azure, identity, job, abortSignal));
}

/** See {@link jobFailure}. A reason that the job itself gives is final; Azure ML's may be transient. */
export function explainFailure(job: Pick<Job, 'name' | 'failure'>, log: string): Error {
  const lines = log.split('\n').map((line) => line.trimEnd());
  const said = lines.findLast((line) => parseReason(line) !== undefined);
  const reason = said === undefined ? undefined : parseReason(said);
  const tail = lines
    .filter((line) => line !== '' && line !== said)
    .slice(-LOG_TAIL_LINES)
    .join('\n');
  const withLog = (message: string) => (tail ? `Last lines of the log:\n${tail}\n${message}` : message);
  if (reason) {
    const { code, message, fix } = reason;
    return new SlipwayError(code, withLog(message), fix === undefined ? {} : { fix });
  }
  const { code, message } = job.failure ?? { code: 'JobFailed', message: 'Azure ML gives no reason' };
  return operationFailed({ code, message: withLog(`Job ${job.name} failed: ${message}`), resource: job.name });
}
