import { DefaultLogger, type LogEntry } from '@temporalio/worker';
import pino from 'pino';
import pretty from 'pino-pretty';

/** What `log.info(…)` of the workflows carries; see src/workflows/progress.ts. */
interface Transition {
  readonly service?: string;
  readonly step?: string;
  readonly kind?: string;
  readonly state?: string;
  readonly detail?: string;
  readonly reason?: string;
  readonly code?: string;
}

/** Members of an entry that tell a person nothing. */
const NOISE = [
  ...['sdkComponent', 'namespace', 'taskQueue', 'workflowType', 'isLocal', 'activityId', 'taskToken'],
  ...['workflowRunId', 'runId', 'details', 'durationMs'],
];

/**
 * The worker's log, on stdout: one readable line an entry, or one JSON object (`format` is `json`).
 */
export function workerLog(format: 'text' | 'json'): pino.Logger {
  const options = { level: 'info', base: null };
  if (format === 'json') return pino(options);
  return pino(
    options,
    pretty({
      translateTime: 'SYS:HH:MM:ss',
      ignore: NOISE.join(','),
      singleLine: true,
      errorLikeObjectKeys: [],
      sync: true,
    }),
  );
}

/** Temporal's logger (of the SDK, the workflows and the activities) over ours. */
export function temporalLogger(log: pino.Logger, format: 'text' | 'json'): DefaultLogger {
  return new DefaultLogger('INFO', ({ level, message, meta }: LogEntry) => {
    const write = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;
    const fields = meta ?? {};
    // How the SDK's worker starts and drains is its own business, as long as nothing is wrong.
    if (level === 'INFO' && fields['sdkComponent'] === 'worker') return;
    const line = format === 'text' ? transitionLine(message, fields) : undefined;
    if (line === undefined) log[write[level]](fields, message);
    else log.info(line);
  });
}

/**
 * One readable line for a transition that a workflow logged, for example `flowers  convert  done · version 3`.
 *
 * @returns undefined for an entry that is none
 */
export function transitionLine(message: string, { service = '', state = '', ...rest }: Transition): string | undefined {
  const subject = {
    step: rest.step,
    undo: rest.kind && `remove ${rest.kind}`,
    deployment: 'deployment',
    redeploy: 'redeploy',
  }[message];
  if (subject === undefined) return undefined;
  const note = rest.detail ?? rest.reason ?? rest.code;
  return `${service}  ${subject}  ${state}${note ? ` · ${note}` : ''}`;
}
