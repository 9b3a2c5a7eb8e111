import { setTimeout as sleep } from 'node:timers/promises';
import { SlipwayError } from '../../deployment/errors.js';
import { azureEnvironment, readEndpoints, startAzure, type Endpoints } from './azure.js';
import { READY_INTERVAL_MS, STOP_MS } from './limits.js';
import {
  isRunning,
  PARTS,
  stopProcess,
  thisProcess,
  type LocalProcess,
  type PartName,
  type StartOptions,
} from './processes.js';
import {
  discardRecord,
  OwnRecord,
  readRecord,
  type StackCommand,
  type StackRecord,
  type TemporalAddress,
} from './stack-record.js';
import { startTemporal } from './temporal.js';
import { startWorker } from './worker.js';

type Say = (line: string) => void;

/** The local parts: Temporal, Azure and a worker. */
export interface Stack {
  readonly temporal: TemporalAddress;
  readonly azure: Endpoints;
  /** False when they were found running: they are another terminal's to stop. */
  readonly ours: boolean;
  /** Parts that we started. */
  readonly parts: readonly LocalProcess[];
  /** Stops what we started: the worker first, because it needs both others to let go of its work. */
  stop(): Promise<void>;
}

export interface OpenOptions extends Pick<StartOptions, 'signal'> {
  /** Which command wants it; default `up`. */
  readonly command?: StackCommand;
}

/**
 * The local parts: those that run already, or new ones. Leftovers of a stack whose terminal was killed are stopped first; one
 * that another terminal starts or stops is waited for.
 *
 * @param say receives one line for each part
 * @throws SlipwayError `DemoRuns` when two demos would share them: the one that ends first would take them from the other
 */
export async function openStack(say: Say, { command = 'up', signal }: OpenOptions = {}): Promise<Stack> {
  const us = { ...(await thisProcess()), command };
  for (let waiting = false; ;) {
    signal?.throwIfAborted();
    const running = await runningStack();
    if (running) {
      const { owner, temporal, azure } = running;
      if (command === 'demo' && owner.command === 'demo') throw demoRuns(owner.pid);
      say('The local parts run already in another terminal');
      return { temporal, azure, ours: false, parts: [], stop: () => Promise.resolve() };
    }
    const record = readRecord();
    if (record && (await isRunning(record.owner))) {
      if (!waiting) say('Another terminal starts or stops the local parts: waiting for it');
      waiting = true;
      await sleep(READY_INTERVAL_MS);
      continue;
    }
    await stopLeftovers(record, say);
    discardRecord(record);
    const own = OwnRecord.claim(us);
    if (own) return startStack(own, say, signal);
  }
}

function demoRuns(pid: number): SlipwayError {
  return new SlipwayError('DemoRuns', `A demo runs here already, as process ${pid}`, {
    fix: 'Let it end, or stop it with Ctrl-C; a demo with another SLIPWAY_HOME can run beside it.',
  });
}

async function startStack(record: OwnRecord, say: Say, signal: AbortSignal | undefined): Promise<Stack> {
  const started: LocalProcess[] = [];
  const onStart = (part: LocalProcess): void => {
    started.push(part);
    record.add(part);
  };
  const stop = async (): Promise<void> => {
    record.stopping();
    for (const part of inStopOrder(started)) await stopProcess(part, graceOf(part, started));
    record.remove();
  };
  try {
    const start = { onStart, ...(signal ? { signal } : {}) };
    const [temporal, azure] = await bothOrNone(startTemporal(start), startAzure(start));
    say(`Temporal     ${temporal.address}${temporal.ui ? `, UI ${temporal.ui}` : ''}`);
    say(`local Azure  ${azure.arm}`);
    await startWorker(stackEnvironment(temporal, azure), start);
    say('worker       is ready');
    record.ready(temporal);
    return { temporal, azure, ours: true, parts: started, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A worker without its server has nobody whom it could hand its work back to. */
function graceOf({ name }: LocalProcess, parts: readonly LocalProcess[]): number {
  const serverEnded = parts.some((part) => part.name === 'temporal' && part.ended.reason !== undefined);
  return name === 'worker' && serverEnded ? STOP_MS.unready : STOP_MS[name];
}

/** The environment that points a process at a stack. */
export function stackEnvironment(temporal: TemporalAddress, azure: Endpoints): Record<string, string> {
  return {
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: temporal.namespace,
    ...azureEnvironment(azure),
  };
}

/** A stack that another process may use. */
export interface RunningStack extends Pick<Stack, 'temporal' | 'azure'> {
  readonly owner: StackRecord['owner'];
}

/** The stack that runs now in this home and is ready, if there is one. */
export async function runningStack(): Promise<RunningStack | undefined> {
  const record = readRecord();
  const azure = await readEndpoints();
  if (!record?.temporal || !azure || !(await isRunning(record.owner))) return undefined;
  return { owner: record.owner, temporal: record.temporal, azure };
}

async function stopLeftovers(record: StackRecord | undefined, say: Say): Promise<void> {
  for (const part of inStopOrder(record?.parts ?? [])) {
    if (!(await isRunning(part))) continue;
    say(`Stopping the ${part.name} that an earlier terminal left`);
    await stopProcess(part, STOP_MS[part.name]);
  }
}

/** The worker before what it needs to let go of its work. */
function inStopOrder<T extends { name: PartName }>(parts: readonly T[]): T[] {
  return [...parts].sort((a, b) => PARTS.indexOf(a.name) - PARTS.indexOf(b.name));
}

/** Both results, or the first failure once both have settled: the one that started must be stopped. */
async function bothOrNone<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([first, second]);
  return Promise.all([first, second]);
}
