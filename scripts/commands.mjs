// Runs other programs for the scripts beside this file, and says what happens in short lines. Node's own modules only: the
// scripts work before anything is installed.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { clearInterval, setInterval } from 'node:timers';
import { fileURLToPath } from 'node:url';

/** The clone's directory. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/** Where all state goes: `SLIPWAY_HOME`, or `.slipway` of the clone. */
export const home = path.resolve(process.env.SLIPWAY_HOME ?? path.join(root, '.slipway'));

/** A program that ended with a failure. */
export class CommandFailed extends Error {
  /** @param {string} line @param {number | string} reason exit code or signal @param {string} output */
  constructor(line, reason, output) {
    super(`${line} failed (${reason})${output ? `\n${output}` : ''}`);
    this.name = 'CommandFailed';
  }
}

/** Something of this machine that a person must mend first; its message is all that they need. */
export class CannotRun extends Error {
  /** @param {string} problem @param {string} [fix] */
  constructor(problem, fix) {
    super(fix === undefined ? problem : `${problem}\n  fix: ${fix}`);
    this.name = 'CannotRun';
  }
}

/** What the system's errors of files mean, and how they are mended. */
const FILE_ERRORS = {
  ENOSPC: ['there is no space left on the device', 'Make room, or set SLIPWAY_HOME to a directory on another device.'],
  EDQUOT: ['your quota of the device is used up', 'Make room, or set SLIPWAY_HOME to a directory on another device.'],
  EROFS: ['the file system is read-only', 'Set SLIPWAY_HOME to a directory that can be written.'],
  EACCES: ['you may not write there', 'Set SLIPWAY_HOME to a directory that can be written.'],
  EPERM: ['you may not write there', 'Set SLIPWAY_HOME to a directory that can be written.'],
  ENOTDIR: ['a part of that path is a file', 'Set SLIPWAY_HOME to a directory that can be made.'],
};

/** @param {unknown} error @returns {string} what a person needs to know of it */
function explain(error) {
  if (error instanceof CommandFailed || error instanceof CannotRun) return error.message;
  const [meaning, fix] = FILE_ERRORS[error?.code] ?? [];
  if (meaning === undefined) return error?.stack ?? String(error);
  return new CannotRun(`${error.path ?? 'A file'} cannot be written: ${meaning} (${error.code})`, fix).message;
}

/**
 * Prints one line of progress, on stderr: stdout is for data.
 *
 * @param {string} text
 */
export function say(text) {
  process.stderr.write(`${text}\n`);
}

/** How long nothing may be said, in milliseconds: systems that run builds end what is silent. */
const HEARTBEAT = 30_000;

/**
 * Says what begins, every 30 s that it still goes on, and how long it took when that was worth a wait.
 *
 * @template T
 * @param {string} what
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function during(what, work) {
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  say(`• ${what}`);
  const timer = setInterval(() => say(`  … still at it after ${seconds()} s: ${what}`), HEARTBEAT);
  try {
    const result = await work();
    say(`  done in ${seconds()} s: ${what}`);
    return result;
  } finally {
    clearInterval(timer);
  }
}

/**
 * Runs a program to its end, with its output in ours.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {{
 *   env?: Record<string, string | undefined>, quiet?: boolean, cwd?: string, onLine?: (line: string) => void
 * }} [options] `quiet` keeps the output for the error of a failure; `onLine` does too, and gets each line as it comes
 * @returns {Promise<string>} what it wrote, when quiet
 */
export async function run(program, args, options = {}) {
  const child = spawn(program, args, {
    cwd: options.cwd ?? root,
    env: { ...process.env, ...options.env },
    stdio: options.quiet || options.onLine ? ['ignore', 'pipe', 'pipe'] : ['inherit', process.stderr, process.stderr],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => (output += text));
  const { onLine } = options;
  if (onLine) createInterface({ input: child.stderr }).on('line', onLine);
  const reason = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(signal ?? code));
  });
  if (reason !== 0) throw new CommandFailed([path.basename(program), ...args].join(' '), reason, output.trim());
  return output;
}

/**
 * Runs one of Node's programs that lie in node_modules.
 *
 * @param {string} file below node_modules
 * @param {string[]} args
 * @param {Parameters<typeof run>[2]} [options]
 */
export function runPackage(file, args, options) {
  return run(process.execPath, [path.join(root, 'node_modules', file), ...args], options);
}

/**
 * Runs the script's main function; a failure is one readable message and exit code 1.
 *
 * @param {ImportMeta} meta of the script; nothing happens when it is imported by another one
 * @param {(args: string[]) => Promise<number | void>} main its number is the exit code
 */
export async function runAsScript(meta, main) {
  if (process.argv[1] !== fileURLToPath(meta.url)) return;
  try {
    process.exitCode = (await main(process.argv.slice(2))) ?? 0;
  } catch (error) {
    say(`✗ ${explain(error)}`);
    process.exitCode = 1;
  }
}
