import type { AzureConnection } from '../azure/connection.js';
import { readJobLog } from '../azure/job-logs.js';
import type { Job } from '../azure/jobs.js';
import { LOG_TAIL_BYTES } from '../azure/limits.js';
import { getWorkspace } from '../azure/workspace.js';
import type { Identity } from '../deployment/names.js';
import { JOB_LOG_SECONDS } from './intervals.js';

/** The line with which our own job says what it is at; see conversion/progress.py. */
const PHASE = /^slipway: phase=(\S+)/gm;

/** The job's phases, for people who wait. */
const PHASES: Readonly<Record<string, string>> = {
  load: 'loading the SavedModel',
  golden: 'recording TensorFlow’s answers',
  freeze: 'freezing variables',
  convert: 'converting',
  check: 'checking against TensorFlow’s answers',
  quantize: 'making int8',
  write: 'writing the result',
};

/**
 * The end of a job's log, which Azure ML writes while it runs. Empty where it cannot be read, or not soon: it explains a
 * job's state, and must not hide it.
 */
export async function readLogEnd(
  azure: AzureConnection,
  identity: Identity,
  job: Job,
  abortSignal: AbortSignal,
): Promise<string> {
  const soon = AbortSignal.any([abortSignal, AbortSignal.timeout(JOB_LOG_SECONDS * 1000)]);
  try {
    const workspace = await getWorkspace(azure, identity, soon);
    return (await readJobLog(azure, workspace, job.artifacts, soon, LOG_TAIL_BYTES)) ?? '';
  } catch {
    return '';
  }
}

/** What the conversion is at, by its log: `converting`; undefined before it has said anything. */
export function lastPhase(log: string): string | undefined {
  const phase = [...log.matchAll(PHASE)].at(-1)?.[1];
  return phase === undefined ? undefined : (PHASES[phase] ?? phase);
}
