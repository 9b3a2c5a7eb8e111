import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { appendFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Emulator } from '../../core/emulator.js';
import { startOf } from '../../core/processes.js';
import { buildLockPollMs } from '../limits.js';
import { buildFailure } from './conda.js';
import { lastLines } from './log.js';

const run = promisify(execFile);

/** A Python environment on disk. */
export interface PythonEnvironment {
  readonly directory: string;
  /** What the build said. */
  readonly logFile: string;
}

/**
 * Python environments by the hash of what goes into them. They are shared by all emulators on one cache, and built in place: scripts in
 * them carry their own path.
 */
export class PythonEnvironments {
  private readonly root: string;
  private readonly building = new Map<string, Promise<PythonEnvironment>>();

  constructor(private readonly emulator: Emulator) {
    this.root = join(emulator.options.cache, 'python-environments');
    mkdirSync(this.root, { recursive: true });
  }

  /** The environment with these pip requirements; built when there is none. Throws JobFailure with the end of the build's log. */
  async get(requirements: readonly string[]): Promise<PythonEnvironment> {
    const python = this.emulator.options.python ?? 'python3';
    const { stdout } = await run(python, ['-c', 'import sys; print(sys.version, sys.base_prefix)']);
    const content = JSON.stringify([stdout.trim(), process.platform, process.arch, requirements]);
    const hash = createHash('sha256').update(content).digest('hex').slice(0, 24);
    let environment = this.building.get(hash);
    if (environment === undefined) {
      environment = this.locked(hash, python, requirements).finally(() => this.building.delete(hash));
      this.building.set(hash, environment);
    }
    return environment;
  }

  private async locked(hash: string, python: string, requirements: readonly string[]): Promise<PythonEnvironment> {
    const directory = join(this.root, hash);
    const lockFile = `${directory}.lock`;
    const environment = { directory, logFile: `${directory}.log` };
    const isComplete = (): boolean => existsSync(join(directory, '.complete'));
    while (!isComplete()) {
      if (!takeLock(lockFile)) {
        await delay(buildLockPollMs);
        continue;
      }
      try {
        if (!isComplete()) await this.build(environment, python, requirements);
      } finally {
        rmSync(lockFile, { force: true });
      }
    }
    return environment;
  }

  private async build(
    { directory, logFile }: PythonEnvironment,
    python: string,
    requirements: readonly string[],
  ): Promise<void> {
    const { uv, cache } = this.emulator.options;
    await rm(directory, { recursive: true, force: true });
    await writeFile(logFile, '');
    const requirementsFile = `${directory}.txt`;
    await writeFile(requirementsFile, requirements.map((line) => `${line}\n`).join(''));
    const interpreter = join(directory, 'bin', 'python');
    const commands = uv
      ? [
          [uv, 'venv', '--quiet', '--python', python, directory],
          [uv, 'pip', 'install', '--python', interpreter, '-r', requirementsFile],
        ]
      : [
          [python, '-m', 'venv', directory],
          [interpreter, '-m', 'pip', 'install', '--disable-pip-version-check', '-r', requirementsFile],
        ];
    const env = { UV_CACHE_DIR: join(cache, 'uv'), ...process.env };
    for (const [command = '', ...args] of requirements.length > 0 ? commands : commands.slice(0, 1)) {
      await appendFile(logFile, `+ ${[command, ...args].join(' ')}\n`);
      await this.runLogged(command, args, env, logFile);
    }
    await writeFile(join(directory, '.complete'), '');
  }

  private async runLogged(command: string, args: string[], env: NodeJS.ProcessEnv, logFile: string): Promise<void> {
    const child = this.emulator.processes.spawn('environment build', command, args, {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => writeFileSync(logFile, chunk, { flag: 'a' }));
    }
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (code !== 0) throw buildFailure(`${command} ended with ${code}.\n${await lastLines(logFile)}`);
  }
}

/** Takes the lock, also from an owner that is no more. */
function takeLock(file: string): boolean {
  const mine = `${process.pid} ${startOf(process.pid) ?? ''}`;
  try {
    writeFileSync(file, mine, { flag: 'wx' });
    return true;
  } catch {
    const [pid, startedAt] = readLock(file);
    if (pid !== undefined && startOf(pid) !== startedAt) rmSync(file, { force: true });
    return false;
  }
}

function readLock(file: string): [number | undefined, string | undefined] {
  try {
    const [pid, ...startedAt] = readFileSync(file, 'utf8').split(' ');
    return [Number(pid), startedAt.join(' ')];
  } catch {
    return [undefined, undefined];
  }
}
