import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { SlipwayError } from '../../deployment/errors.js';
import { home } from './home.js';
import { READY_INTERVAL_MS, STOP_MS } from './limits.js';

/** The local parts, in the order in which they are stopped: the worker needs both others to let go of its work. */
export const PARTS = ['worker', 'azure', 'temporal'] as const;
export type PartName = (typeof PARTS)[number];

/** A process by its id and its start, because ids are used again. */
export interface ProcessMark {
  readonly pid: number;
  readonly started: string;
}

/** A local part that runs as a child process. */
export interface LocalProcess extends ProcessMark {
  readonly name: PartName;
  /** Its output. */
  readonly logFile: string;
  /** Set once it has ended: its exit code, or the signal that ended it. */
  readonly ended: { reason?: number | string };
  /** Resolves with the first message that it sends over its channel, if it was given one. */
  readonly message: Promise<unknown>;
}

export interface ProcessOptions {
  readonly name: PartName;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Gives it a channel for messages. */
  readonly channel?: boolean;
}

/** What the start of a part is given from outside. */
export interface StartOptions {
  /** Told as soon as the process is there, long before it is ready. */
  readonly onStart?: (part: LocalProcess) => void;
  /** Stops the start, and what was started. */
  readonly signal?: AbortSignal;
}

/**
 * Starts a local part with its output in a log file. It leads a process group of its own, so that Ctrl-C in the terminal
 * reaches only us and the parts are stopped in their order.
 */
export async function startProcess(
  { name, command, args, env, channel }: ProcessOptions,
  { onStart }: StartOptions = {},
): Promise<LocalProcess> {
  const logFile = home('logs', `${name}.log`);
  await mkdir(path.dirname(logFile), { recursive: true });
  await writeFile(logFile, '');
  const log = await open(logFile, 'a');
  try {
    const child = spawn(command, args, {
      detached: true,
      stdio: ['ignore', log.fd, log.fd, ...(channel ? ['ipc' as const] : [])],
      env: { ...process.env, ...env },
    });
    const ended: LocalProcess['ended'] = {};
    child.once('exit', (code, signal) => (ended.reason = signal ?? code ?? 0));
    const message = channel
      ? once(child, 'message').then(([first]: unknown[]) => first)
      : new Promise<never>(() => undefined);
    await once(child, 'spawn');
    const pid = child.pid ?? 0;
    const part = { name, pid, started: (await startOf(pid)) ?? '', logFile, ended, message };
    onStart?.(part);
    return part;
  } finally {
    await log.close();
  }
}

/**
 * Waits until `ready` gives something; a part that does not get ready is stopped.
 *
 * @throws SlipwayError `LocalPartFailed`, with the end of its log, when it ends first or the time is over; the signal's
 *   reason when it is aborted
 */
export async function untilReady<T>(
  part: LocalProcess,
  timeoutMs: number,
  ready: () => Promise<T | undefined>,
  signal?: AbortSignal,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  try {
    for (;;) {
      signal?.throwIfAborted();
      if (part.ended.reason !== undefined) throw await failed(part, `ended with ${part.ended.reason}`);
      const found = await ready();
      if (found !== undefined) return found;
      if (Date.now() > deadline) throw await failed(part, `was not ready after ${timeoutMs / 1000} s`);
      await sleep(READY_INTERVAL_MS);
    }
  } catch (error) {
    await stopProcess(part, STOP_MS.unready);
    throw error;
  }
}

async function failed(part: LocalProcess, how: string): Promise<SlipwayError> {
  const log = await readFile(part.logFile, 'utf8').catch(() => '');
  const last = log.trim().split('\n').slice(-8).join('\n');
  return new SlipwayError('LocalPartFailed', `The local ${part.name} ${how}${last ? `:\n${last}` : ''}`, {
    fix: `Its whole log is ${part.logFile}.`,
  });
}

/** Stops a process and waits for its end; after `graceMs` its whole group is killed. One that is gone or not it is left alone. */
export async function stopProcess(mark: ProcessMark, graceMs: number): Promise<void> {
  if (!(await isRunning(mark))) return;
  send(mark.pid, 'SIGTERM');
  const deadline = Date.now() + graceMs;
  while (await isRunning(mark)) {
    if (Date.now() > deadline) {
      send(-mark.pid, 'SIGKILL');
      return;
    }
    await sleep(READY_INTERVAL_MS);
  }
}

/** Whether exactly this process runs. */
export async function isRunning(mark: ProcessMark): Promise<boolean> {
  return (await startOf(mark.pid)) === mark.started;
}

/** This process. */
export async function thisProcess(): Promise<ProcessMark> {
  return { pid: process.pid, started: (await startOf(process.pid)) ?? '' };
}

/** When a process started, in the system's own form; undefined when it does not run, or has ended and was not yet reaped. */
async function startOf(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
    // Fields after the command's name, which is in parentheses and may hold spaces: state is the 1st, start the 20th.
    const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields?.[0] === 'Z' ? undefined : fields?.[19];
  }
  const gone = { stdout: undefined };
  const { stdout } = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)]).catch(() => gone);
  return stdout?.trim();
}

function send(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended in between.
  }
}
