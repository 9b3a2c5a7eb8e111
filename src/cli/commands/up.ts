import { open, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { interruption } from '../local/interruption.js';
import type { LocalProcess } from '../local/processes.js';
import { openStack, type Stack } from '../local/stack.js';
import type { Terminal } from '../render/terminal.js';

/** Between two looks at the worker's log, in milliseconds: a person sees each line as it comes. */
const LOG_INTERVAL_MS = 300;

/** `slipway up`: Temporal, the local Azure and a worker until Ctrl-C, with the worker's log. */
export async function up(terminal: Terminal): Promise<number> {
  const interrupted = interruption();
  const stack = await openStack(terminal.say, { signal: interrupted.signal });
  try {
    if (!stack.ours) return 0;
    terminal.say('Ctrl-C stops them all. In another terminal: npx slipway deploy samples/deployment.yaml');
    const ended = await showWorkerLog(stack, terminal, interrupted.signal);
    if (ended) terminal.say(`${ended.name} ended (${ended.ended.reason ?? ''}); its log is ${ended.logFile}`);
    return ended ? 1 : 0;
  } finally {
    await stopStack(stack, terminal);
    interrupted.done();
  }
}

/** Stops a stack, and says so: a worker may take a while to let go. */
export async function stopStack(stack: Stack, { say }: Terminal): Promise<void> {
  if (!stack.ours) return;
  say('Stopping the worker, the local Azure and Temporal');
  await stack.stop();
}

/**
 * Shows the worker's log until the signal.
 *
 * @returns a part that ended by itself before
 */
export async function showWorkerLog(
  stack: Stack,
  { say }: Terminal,
  signal: AbortSignal,
): Promise<LocalProcess | undefined> {
  const worker = stack.parts.find(({ name }) => name === 'worker');
  let offset = 0;
  while (!signal.aborted) {
    if (worker) offset = await printFrom(worker.logFile, offset, say);
    const ended = stack.parts.find((part) => part.ended.reason !== undefined);
    if (ended) return ended;
    await sleep(LOG_INTERVAL_MS, undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}

/** Prints the whole lines of a file that begin at `offset` or later, and returns where the next ones begin. */
async function printFrom(file: string, offset: number, say: (line: string) => void): Promise<number> {
  const { size } = await stat(file);
  if (size <= offset) return offset;
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - offset), 0, size - offset, offset);
    const whole = buffer.subarray(0, bytesRead).lastIndexOf('\n') + 1;
    if (whole > 0) say(buffer.toString('utf8', 0, whole - 1));
    return offset + whole;
  } finally {
    await handle.close();
  }
}
