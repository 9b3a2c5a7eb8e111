import { Command, CommanderError, Option } from 'commander';
import { STEPS, type Step } from '../../deployment/steps.js';
import { exitCodeOf } from '../exit-code-of.js';
import { EXIT } from '../exit-codes.js';
import { Interrupted } from '../local/interruption.js';
import { storageFailure } from '../local/storage-failure.js';
import { renderError } from '../render/errors.js';
import { print, terminal as thisTerminal } from '../render/terminal.js';
import { demo } from './demo.js';

interface Flags {
  readonly keep?: boolean;
  readonly failAt?: Step;
  readonly json?: boolean;
}

/**
 * `npm run demo`.
 *
 * @param argv without the program's name
 * @returns the exit code: 0 when everything went as it should, which with `--fail-at` means that it was undone
 */
export async function main(argv: readonly string[]): Promise<number> {
  const terminal = thisTerminal();
  const program = new Command('demo')
    .description('Deploys the sample model to the local Azure, scores three photos, and takes it all down again')
    .option('--keep', 'leave everything running until Ctrl-C')
    .addOption(new Option('--fail-at <step>', 'make that step fail for good, and watch the undo').choices([...STEPS]))
    .option('--json', 'print the outcome as one JSON object, as the last line')
    .exitOverride();
  try {
    const { keep = false, failAt, json = false } = program.parse([...argv], { from: 'user' }).opts<Flags>();
    const report = await demo({ keep, ...(failAt ? { failAt } : {}) }, terminal);
    if (json) print(JSON.stringify(report));
    return report.ok ? EXIT.ok : EXIT.internal;
  } catch (error) {
    // What is in flight has lost its server; nothing waits for it.
    if (error instanceof Interrupted) process.exit(EXIT.detached);
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.internal;
    const told = storageFailure(error) ?? error;
    for (const line of renderError(told, terminal.colors)) terminal.say(line);
    return exitCodeOf(told);
  }
}
