import { SlipwayError } from '../../deployment/errors.js';
import { runningStack, stackEnvironment } from '../local/stack.js';
import { print } from '../render/terminal.js';

/**
 * `slipway env`: the variables by which scripts and other tools reach the local parts, as a POSIX shell takes them.
 *
 * @throws SlipwayError `NothingRunsHere`
 */
export async function env(): Promise<number> {
  const stack = await runningStack();
  if (!stack) {
    throw new SlipwayError('NothingRunsHere', 'The local parts do not run', {
      fix: 'Start them in another terminal with `slipway up`.',
    });
  }
  for (const [name, value] of Object.entries(stackEnvironment(stack.temporal, stack.azure))) {
    print(`export ${name}=${quoted(value)}`);
  }
  return 0;
}

/** As one word of the shell, whatever is in it. */
function quoted(value: string): string {
  return `'${value.replaceAll("'", String.raw`'\''`)}'`;
}
