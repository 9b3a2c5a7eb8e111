import { closeSync, openSync } from 'node:fs';
import { delimiter, join, relative } from 'node:path';
import type { Emulator } from '../../core/emulator.js';
import { commandGraceMs } from '../limits.js';
import { JobFailure, type Job } from './job.js';
import { lastLines } from './log.js';

/** The private directory that a job runs in. */
export interface JobDirectory {
  readonly root: string;
  /** The code asset; where the command starts. */
  readonly code: string;
  readonly logFile: string;
}

/** Fills in `${{inputs.x}}` and `${{outputs.x}}`. Throws {@link JobFailure} for one that the job does not have. */
export function substitute(
  command: string,
  values: { inputs: ReadonlyMap<string, string>; outputs: ReadonlyMap<string, string> },
): string {
  return command.replace(/\$\{\{\s*(inputs|outputs)\.([\w-]+)\s*\}\}/g, (expression, group: string, name: string) => {
    const value = (group === 'inputs' ? values.inputs : values.outputs).get(name);
    if (value === undefined)
      throw new JobFailure('UserError', `The command names ${expression}, which the job does not have.`);
    return value;
  });
}

/**
 * How a path below the job's directory stands in its command. Azure's hold nothing that bash would split; where ours do, because of
 * where the state lies, it is relative to where the command starts.
 */
export function pathInCommand(path: string, { code }: JobDirectory): string {
  return /^[\w/.:@%+,-]+$/.test(path) ? path : relative(code, path);
}

/**
 * Runs a job's command by bash in its directory, with its Python environment first on the path and nothing of the emulator's own
 * surroundings. Throws {@link JobFailure} when it fails; when `signal` aborts, ends its process group and throws the reason.
 */
export async function runCommand(
  emulator: Emulator,
  job: Job,
  command: string,
  directory: JobDirectory,
  environment: string,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const log = openSync(directory.logFile, 'a');
  const child = emulator.processes.spawn(`job ${job.name}`, 'bash', ['-c', command], {
    cwd: directory.code,
    env: jobEnvironment(job, directory, environment),
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const stop = (): void => void emulator.processes.stop(child, commandGraceMs);
  signal.addEventListener('abort', stop, { once: true });
  const end = await new Promise<{ code: number | null; killedBy: NodeJS.Signals | null }>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, killedBy) => resolve({ code, killedBy }));
  });
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  if (end.code === 0) return;
  const how = end.code === null ? `was killed by signal ${end.killedBy ?? ''}` : `exited with status code ${end.code}`;
  throw new JobFailure(
    'UserError',
    `Execution failed. User process ${how}. Please check log file 'user_logs/std_log.txt' for error details. ` +
      `Error: ${await lastLines(directory.logFile)}`,
  );
}

function jobEnvironment(job: Job, { root }: JobDirectory, environment: string): NodeJS.ProcessEnv {
  return {
    ...job.definition.environmentVariables,
    PATH: [join(environment, 'bin'), '/usr/local/bin', '/usr/bin', '/bin'].join(delimiter),
    VIRTUAL_ENV: environment,
    HOME: join(root, 'home'),
    TMPDIR: join(root, 'tmp'),
    LANG: 'C.UTF-8',
    PYTHONNOUSERSITE: '1',
    PYTHONUNBUFFERED: '1',
    AZUREML_RUN_ID: job.name,
  };
}
