import { packaged } from './home.js';
import { WORKER_START_MS } from './limits.js';
import { startProcess, untilReady, type LocalProcess, type StartOptions } from './processes.js';

/** Command line of the worker. */
export function workerCommand(): { command: string; args: string[] } {
  return { command: process.execPath, args: [packaged('dist', 'worker.js')] };
}

/** Starts a worker and waits until it polls. */
export async function startWorker(env: Record<string, string>, options: StartOptions = {}): Promise<LocalProcess> {
  const part = await startProcess({ name: 'worker', ...workerCommand(), env, channel: true }, options);
  let ready: true | undefined;
  void part.message.then(() => (ready = true));
  await untilReady(part, WORKER_START_MS, () => Promise.resolve(ready), options.signal);
  return part;
}
