import type { ChangeHandle, ChangeResults, Snapshot } from '../client.js';
import type { WorkflowName } from '../deployment/temporal.js';
import { exitCodeOf } from './exit-code-of.js';
import { EXIT } from './exit-codes.js';
import { renderError } from './render/errors.js';
import type { Terminal } from './render/terminal.js';
import { showChange } from './render/watch.js';

/** How following a change ended. */
export type Followed<Name extends WorkflowName> =
  | { readonly end: 'detached'; readonly exitCode: number }
  | { readonly end: 'done'; readonly exitCode: number; readonly result: ChangeResults[Name] }
  | { readonly end: 'failed'; readonly exitCode: number; readonly error: unknown; readonly last?: Snapshot };

/**
 * Shows a change until its end. Ctrl-C detaches: the change goes on, and it is said how to come back.
 */
export async function follow<Name extends WorkflowName>(
  handle: ChangeHandle<Name>,
  terminal: Terminal,
): Promise<Followed<Name>> {
  const detach = new AbortController();
  const onInterrupt = (): void => detach.abort();
  // Not `once`: where no listener is left, the library that restores the cursor ends the process.
  process.on('SIGINT', onInterrupt);
  let last: Snapshot | undefined;
  try {
    last = await showChange(handle, terminal, detach.signal);
  } finally {
    process.off('SIGINT', onInterrupt);
  }
  if (last?.open) {
    const { service } = handle;
    terminal.say(`The ${handle.change === 'deploy' ? 'deployment' : 'teardown'} of ${service} goes on.`);
    terminal.say(`  come back:  slipway watch ${service}`);
    terminal.say(`  stop it:    slipway cancel ${service}`);
    return { end: 'detached', exitCode: EXIT.detached };
  }
  try {
    return { end: 'done', exitCode: EXIT.ok, result: await handle.result() };
  } catch (error) {
    for (const line of renderError(error, terminal.colors, last)) terminal.say(line);
    return { end: 'failed', exitCode: exitCodeOf(error, last), error, ...(last ? { last } : {}) };
  }
}
