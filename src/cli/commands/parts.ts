import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { azureCommand } from '../local/azure.js';
import { runningStack, stackEnvironment } from '../local/stack.js';
import { workerCommand } from '../local/worker.js';

/** `slipway emulator`: the local Azure alone, in this terminal. */
export async function emulator(args: readonly string[]): Promise<number> {
  const { command, args: own, env } = await azureCommand(args);
  return inForeground(command, own, { ...env });
}

/** `slipway worker`: a worker, of the Temporal and Azure that the environment names, or of the local parts that run. */
export async function worker(): Promise<number> {
  const stack = await runningStack();
  const { command, args } = workerCommand();
  return inForeground(
    command,
    args,
    stack ? { ...stackEnvironment(stack.temporal, stack.azure), ...definedEnvironment() } : {},
  );
}

/** Runs a program in this terminal, hands signals on to it and returns its exit code. */
async function inForeground(command: string, args: readonly string[], env: Record<string, string>): Promise<number> {
  const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, ...env } });
  // Ctrl-C reaches the child too, because it is in our process group; a plain kill reaches only us.
  const ignore = (): void => undefined;
  const forward = (): void => void child.kill('SIGTERM');
  process.on('SIGINT', ignore).on('SIGTERM', forward);
  const [code] = (await once(child, 'exit')) as [number | null];
  process.off('SIGINT', ignore).off('SIGTERM', forward);
  return code ?? 1;
}

function definedEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
