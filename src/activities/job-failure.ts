import { openBlobStore, parseDatastoreUri, readBlobEnd } from '../azure/blobs.js';
import type { AzureConnection } from '../azure/connection.js';
import type { Job } from '../azure/jobs.js';
import { LOG_TAIL_BYTES, LOG_TAIL_LINES } from '../azure/limits.js';
import { getWorkspace } from '../azure/workspace.js';
import { SlipwayError } from '../deployment/errors.js';
import type { Identity } from '../deployment/names.js';
import { operationFailed } from './failure.js';

/** Where Azure ML puts what a command printed, below the job's artifacts. */
const LOG = 'user_logs/std_log.txt';

/** The line with which our own job says why it failed. */
const REASON = /^slipway: error=(\S+) message=(.*?)(?: fix=(.*))?$/;

/** Why a job failed: its own last word where it had one, else Azure ML's, with the last lines of its log. */
export async function jobFailure(
  azure: AzureConnection,
  identity: Identity,
  job: Job,
  abortSignal: AbortSignal,
): Promise<Error> {
  // A log that cannot be read must not hide that the job failed.
  const log = await readLog(azure, identity, job, abortSignal).catch(() => '');
  return explainFailure(job, log);
}

/** See {@link jobFailure}. A reason that the job itself gives is final; Azure ML's may be transient. */
export function explainFailure(job: Pick<Job, 'name' | 'failure'>, log: string): Error {
  const lines = log.split('\n').map((line) => line.trimEnd());
  const said = lines.map((line) => REASON.exec(line)).findLast((match) => match !== null);
  const tail = lines
    .filter((line) => line !== '' && line !== said?.[0])
    .slice(-LOG_TAIL_LINES)
    .join('\n');
  const withLog = (message: string) => (tail ? `Last lines of the log:\n${tail}\n${message}` : message);
  if (said) {
    const [, code = '', message = '', fix] = said;
    return new SlipwayError(code, withLog(message), fix === undefined ? {} : { fix });
  }
  const { code, message } = job.failure ?? { code: 'JobFailed', message: 'Azure ML gives no reason' };
  return operationFailed({ code, message: withLog(`Job ${job.name} failed: ${message}`), resource: job.name });
}

async function readLog(
  azure: AzureConnection,
  identity: Identity,
  job: Job,
  abortSignal: AbortSignal,
): Promise<string> {
  const { datastore, path } = parseDatastoreUri(job.artifacts);
  const workspace = await getWorkspace(azure, identity, abortSignal);
  const store = await openBlobStore(azure, workspace, abortSignal, datastore);
  return (await readBlobEnd(store, `${path}/${LOG}`, LOG_TAIL_BYTES, abortSignal))?.toString('utf8') ?? '';
}
