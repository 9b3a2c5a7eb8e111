import { Command, CommanderError } from 'commander';
import { workspaceCommand, type Act } from './act.js';
import type { DeleteOptions } from './commands/delete.js';
import type { DeployOptions } from './commands/deploy.js';
import type { StatusOptions } from './commands/status.js';
import type { CancelOptions, WatchOptions } from './commands/watch.js';
import { EXIT } from './exit-codes.js';
import { addKeyCommands } from './key-commands.js';
import { addListingCommands } from './listing-commands.js';
import { Interrupted } from './local/interruption.js';
import { terminal as thisTerminal } from './render/terminal.js';
import { addScheduleCommands } from './schedule-commands.js';
import { addScoreCommand } from './score-command.js';

const EXIT_CODES = `
Exit codes:
  0    done
  1    wrong usage, or a fault of Slipway's
  3    refused before anything was created
  4    failed or cancelled, and undone
  5    failed, and something is left: it is listed
  6    Temporal cannot be reached, or refuses
  130  detached: the change goes on`;

/**
 * The `slipway` command.
 *
 * @param argv without the program's name
 * @returns the exit code; see `slipway --help`
 */
export async function main(argv: readonly string[]): Promise<number> {
  const terminal = thisTerminal();
  let exitCode: number = EXIT.ok;
  const program = commands(async (run) => {
    exitCode = await run(terminal);
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof Interrupted) return EXIT.detached;
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.internal;
    const [{ renderError }, { exitCodeOf }, { storageFailure }] = await Promise.all([
      import('./render/errors.js'),
      import('./exit-code-of.js'),
      import('./local/storage-failure.js'),
    ]);
    const told = storageFailure(error) ?? error;
    for (const line of renderError(told, terminal.colors)) terminal.say(line);
    return exitCodeOf(told);
  }
}

/** Each command loads its own code: the Azure SDKs take a second, and `--help` needs none of them. */
function commands(act: Act): Command {
  const program = new Command('slipway')
    // What stands after a subcommand is the subcommand's: `models show NAME --json` is not `models --json`.
    .enablePositionalOptions()
    .description('From a SavedModel to a live, verified scoring service on Azure Kubernetes Service, and back')
    .exitOverride()
    .showHelpAfterError('(slipway --help lists the commands)')
    .addHelpText('after', EXIT_CODES);
  addServiceCommands(program, act);
  addScoreCommand(program, act);
  addListingCommands(program, act);
  addKeyCommands(program, act);
  addScheduleCommands(program, act);
  addLocalCommands(program, act);
  return program;
}

function addServiceCommands(program: Command, act: Act): void {
  const command = (usage: string, description: string): Command => workspaceCommand(program, usage, description);

  command('deploy <file>', 'deploy the service that a file describes, and watch it')
    .option('--detach', 'return as soon as it runs')
    .option('--json', 'print the outcome as one JSON object')
    .action((file: string, options: DeployOptions) =>
      act(async (terminal) => (await import('./commands/deploy.js')).deploy(file, options, terminal)),
    );
  command('watch <service>', 'watch the change of a service that runs, or see how the last one ended')
    .option('--json', 'print the outcome as one JSON object')
    .action((service: string, options: WatchOptions) =>
      act(async (terminal) => (await import('./commands/watch.js')).watch(service, options, terminal)),
    );
  command('status [service]', 'the local parts and their addresses, and the newest changes')
    .option('--json', 'print them as one JSON object')
    .action((service: string | undefined, options: StatusOptions) =>
      act(async (terminal) => (await import('./commands/status.js')).status(service, options, terminal)),
    );
  command('cancel <service>', 'stop the change of a service that runs; what was begun is undone')
    .option('--detach', 'do not watch the undo')
    .action((service: string, options: CancelOptions) =>
      act(async (terminal) => (await import('./commands/watch.js')).cancel(service, options, terminal)),
    );
  command('delete <service>', 'tear a service down: service, image, registered model, converted model')
    .option('--with-cluster', 'also the cluster, when it was created for this service and nothing else runs on it')
    .option('--yes', 'do not ask')
    .option('--json', 'print the outcome as one JSON object')
    .action((service: string, options: DeleteOptions) =>
      act(async (terminal) => (await import('./commands/delete.js')).remove(service, options, terminal)),
    );
}

function addLocalCommands(program: Command, act: Act): void {
  program
    .command('up')
    .description('run all local parts in this terminal: Temporal with its Web UI, the local Azure, a worker')
    .action(() => act(async (terminal) => (await import('./commands/up.js')).up(terminal)));
  program
    .command('env')
    .description('the variables by which scripts reach the local parts that run: eval "$(npx slipway env)"')
    .action(() => act(async () => (await import('./commands/env.js')).env()));
  program
    .command('emulator')
    .description('run the local Azure alone; further arguments are its own')
    .argument('[args...]')
    .allowUnknownOption()
    .helpOption(false)
    .action((args: string[]) => act(async () => (await import('./commands/parts.js')).emulator(args)));
  program
    .command('worker')
    .description('run a worker')
    .action(() => act(async () => (await import('./commands/parts.js')).worker()));
}
