import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { azureEnvironment, readEndpoints, startAzure, type Endpoints } from './azure.js';
import { home } from './home.js';
import { STOP_MS } from './limits.js';
import { isRunning, PARTS, stopProcess, thisProcess, type LocalProcess, type PartName } from './processes.js';
import { startTemporal } from './temporal.js';
import { startWorker } from './worker.js';

const Mark = z.object({ name: z.enum(PARTS), pid: z.number(), started: z.string() });

/** `.slipway/stack.json`: what runs, so that commands in other terminals find it. */
const StackRecord = z.object({
  owner: Mark.omit({ name: true }),
  parts: z.array(Mark),
  temporal: z.object({ address: z.string(), namespace: z.string(), ui: z.string().optional() }),
});
export type StackRecord = z.infer<typeof StackRecord>;

/** The local parts: Temporal, Azure and a worker. */
export interface Stack {
  readonly temporal: StackRecord['temporal'];
  readonly azure: Endpoints;
  /** False when they were found running: they are another terminal's to stop. */
  readonly ours: boolean;
  /** Parts that we started, in the order of their stop. */
  readonly parts: readonly LocalProcess[];
  /** Stops what we started: the worker first, because it needs both others to let go of its work. */
  stop(): Promise<void>;
}

const recordFile = (): string => home('stack.json');

/**
 * The local parts: those that run already, or new ones. Leftovers of a stack whose terminal was killed are stopped first.
 *
 * @param say receives one line for each part
 * @param signal stops the start; what was started is stopped
 */
export async function openStack(say: (line: string) => void, signal?: AbortSignal): Promise<Stack> {
  const running = await runningStack();
  if (running) {
    say('The local parts run already in another terminal');
    return { ...running, ours: false, parts: [], stop: () => Promise.resolve() };
  }
  await stopLeftovers(say);

  const started: LocalProcess[] = [];
  const stop = async (): Promise<void> => {
    for (const part of inStopOrder(started)) await stopProcess(part, STOP_MS[part.name]);
    await rm(recordFile(), { force: true });
  };
  const keep = <T extends { process?: LocalProcess }>(part: T): T => {
    if (part.process) started.push(part.process);
    return part;
  };
  try {
    const [temporal, azure] = await bothOrNone(startTemporal(signal).then(keep), startAzure(signal).then(keep));
    say(`Temporal     ${temporal.address}${temporal.ui ? `, UI ${temporal.ui}` : ''}`);
    say(`local Azure  ${azure.endpoints.arm}`);
    const { process: _process, ...server } = temporal;
    started.push(await startWorker(stackEnvironment(server, azure.endpoints), signal));
    say('worker       is ready');
    await writeRecord({
      owner: await thisProcess(),
      parts: started.map(({ name, pid, started: since }) => ({ name, pid, started: since })),
      temporal: server,
    });
    return { temporal: server, azure: azure.endpoints, ours: true, parts: started, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The environment that points a process at a stack. */
export function stackEnvironment(temporal: StackRecord['temporal'], azure: Endpoints): Record<string, string> {
  return {
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: temporal.namespace,
    ...azureEnvironment(azure),
  };
}

/** The stack that runs now in this home, if one does. */
export async function runningStack(): Promise<{ temporal: StackRecord['temporal']; azure: Endpoints } | undefined> {
  const record = await readRecord();
  const azure = await readEndpoints();
  if (!record || !azure || !(await isRunning(record.owner))) return undefined;
  return { temporal: record.temporal, azure };
}

async function stopLeftovers(say: (line: string) => void): Promise<void> {
  const record = await readRecord();
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

/** Both results, or the first failure once both have settled: the one that started must be known, to be stopped. */
async function bothOrNone<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([first, second]);
  return Promise.all([first, second]);
}

async function readRecord(): Promise<StackRecord | undefined> {
  try {
    return StackRecord.parse(JSON.parse(await readFile(recordFile(), 'utf8')));
  } catch {
    return undefined;
  }
}

async function writeRecord(record: StackRecord): Promise<void> {
  await mkdir(home(), { recursive: true });
  const partial = `${recordFile()}.${process.pid}`;
  await writeFile(partial, JSON.stringify(record, undefined, 2));
  await rename(partial, recordFile());
}
