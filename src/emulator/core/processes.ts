import { spawn, spawnSync, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Collection, Documents } from './documents.js';
import { childGraceMs, exitPollMs } from './limits.js';

interface Recorded {
  pid: number;
  /** Tells the process from a later one with the same id. */
  startedAt: string;
  purpose: string;
}

/**
 * Children of the emulator, each the leader of its own process group. They are recorded on disk, so that the next emulator on the same
 * state ends what a killed one has left behind.
 */
export class Processes {
  private readonly recorded: Collection<Recorded>;
  private readonly live = new Set<ChildProcess>();
  private isClosed = false;

  constructor(documents: Documents) {
    this.recorded = documents.collection<Recorded>('processes');
  }

  /** Starts a child that leads its own process group. `purpose` is for people who read the state. */
  spawn(purpose: string, command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
    if (this.isClosed) throw new Error(`${purpose} is not started: the emulator stops`);
    const child = spawn(command, args, { ...options, detached: true });
    const { pid } = child;
    if (pid !== undefined) {
      this.recorded.put(String(pid), { pid, startedAt: startOf(pid) ?? '', purpose });
      this.live.add(child);
      child.once('exit', () => {
        this.live.delete(child);
        this.recorded.delete(String(pid));
      });
    }
    return child;
  }

  /** Ends the whole group of a child: asks first, kills after a grace period. */
  async stop(child: ChildProcess, graceMs = childGraceMs): Promise<void> {
    const { pid } = child;
    if (pid === undefined) return;
    if (child.exitCode === null && child.signalCode === null) {
      const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      signalGroup(pid, 'SIGTERM');
      await Promise.race([exited, delay(graceMs, undefined, { ref: false })]);
    }
    signalGroup(pid, 'SIGKILL');
  }

  /** Ends all children and lets no other begin; the last thing that a stopping emulator does. */
  async stopAll(): Promise<void> {
    this.isClosed = true;
    await Promise.all([...this.live].map((child) => this.stop(child)));
  }

  /** Ends the children that a killed emulator on this state left behind, and returns what they were for. */
  async endStale(): Promise<string[]> {
    const stale = this.recorded.entries().filter(([, { pid, startedAt }]) => isRunning(pid, startedAt));
    await Promise.all(stale.map(([, { pid, startedAt }]) => endGroup(pid, startedAt)));
    for (const [id] of this.recorded.entries()) this.recorded.delete(id);
    return stale.map(([, { purpose }]) => purpose);
  }
}

function isRunning(pid: number, startedAt: string): boolean {
  return startedAt !== '' && startOf(pid) === startedAt;
}

/** Asks first, since Azurite writes its index when it is asked to end. */
async function endGroup(pid: number, startedAt: string): Promise<void> {
  signalGroup(pid, 'SIGTERM');
  for (let waited = 0; waited < childGraceMs && isRunning(pid, startedAt); waited += exitPollMs)
    await delay(exitPollMs);
  signalGroup(pid, 'SIGKILL');
}

/** Signals every process of the group that `pid` leads; one that is gone is fine. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // ESRCH: nobody is left in it.
  }
}

/** When process `pid` was started, in whatever form the system has it; undefined when there is none, or it has ended. */
export function startOf(pid: number): string | undefined {
  if (process.platform !== 'linux') {
    const { stdout, status } = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' });
    return status === 0 ? stdout.trim() : undefined;
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Field 22 is the start time in ticks; the command in field 2 may hold spaces, and ends at the last parenthesis.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // One that has ended may wait for seconds until its new parent takes note.
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
