import type { Command } from 'commander';
import { workspaceCommand, type Act } from './act.js';
import type { BuildModelOptions } from './commands/build-model.js';
import type { ImagesOptions } from './commands/images.js';
import type { HistoryOptions, ListOptions } from './commands/list.js';
import type { ConversionLogOptions, ImageLogOptions, ServiceLogOptions } from './commands/logs.js';
import type { ModelsOptions } from './commands/models.js';
import { count } from './count.js';

/** Adds the commands that show what a workspace holds and what was done to it. They change nothing. */
export function addListingCommands(program: Command, act: Act): void {
  workspaceCommand(program, 'list', 'the services of the workspace, and whether each is live')
    .option('--all', 'also those that were deleted')
    .option('--json', 'print them as one JSON array')
    .action((options: ListOptions) =>
      act(async (terminal) => (await import('./commands/list.js')).list(options, terminal)),
    );
  workspaceCommand(program, 'history <service>', 'what was done to a service, newest first')
    .option('--limit <changes>', 'at most so many (default: 20)', count)
    .option('--json', 'print the changes as one JSON array')
    .action((service: string, options: HistoryOptions) =>
      act(async () => (await import('./commands/list.js')).history(service, options)),
    );
  workspaceCommand(program, 'images', 'the images of the services: version, state, location, build log')
    .option('--service <service>', 'only those of one service')
    .option('--tag <tag>', 'only those with that tag: a release, or a deployment')
    .option('--json', 'print them as one JSON array')
    .action((options: ImagesOptions) =>
      act(async (terminal) => (await import('./commands/images.js')).images(options, terminal)),
    );
  addModelCommands(program, act);
  addLogCommands(program, act);
}

function addModelCommands(program: Command, act: Act): void {
  const lists = (command: Command): Command =>
    command
      .option('--all', 'also those that Slipway did not register')
      .option('--json', 'print the models as one JSON array')
      .action((options: ModelsOptions) =>
        act(async (terminal) => (await import('./commands/models.js')).listModels(options, terminal)),
      );
  const description = 'the registered models: digests, what was converted to what, where each is deployed';
  const models = lists(workspaceCommand(program, 'models', description)).enablePositionalOptions();
  lists(workspaceCommand(models, 'list', `${description} (the default)`));
  workspaceCommand(models, 'show <name>', 'one model, with its tags, properties and addresses')
    .option('--json', 'print it as one JSON object')
    .action((name: string, options: ModelsOptions) =>
      act(async () => (await import('./commands/models.js')).showModel(name, options)),
    );
  models
    .command('build <name>')
    .description('a SavedModel of resnet50, resnet152, vgg16, densenet121, ssd-vgg or efficientnet-lite0')
    .option('--out <directory>', 'where to (default: the name, here)')
    .option('--weights <weights>', 'imagenet (default), none (random), or a file')
    .option('--classes <number>', 'classes of the default classifier')
    .option('--head <file>', '.npz file with a classifier of your own on the features')
    .option('--json', 'print the result as one JSON object')
    .action((name: string, options: BuildModelOptions) =>
      act(async (terminal) => (await import('./commands/build-model.js')).buildModel(name, options, terminal)),
    );
}

function addLogCommands(program: Command, act: Act): void {
  const logs = program.command('logs').description('what a conversion, an image’s build or a live service has logged');
  workspaceCommand(logs, 'convert <service>', 'log of the Azure ML job of the newest deployment’s conversion')
    .option('--deployment <id>', 'of that deployment, as slipway history names it')
    .option('--json', 'print it as one JSON object')
    .action((service: string, options: ConversionLogOptions) =>
      act(async (terminal) => (await import('./commands/logs.js')).conversionLog(service, options, terminal)),
    );
  workspaceCommand(logs, 'image <service>', 'build log of the live release’s image')
    .option('--release <tag>', 'of that release, as slipway images names it')
    .option('--json', 'print it as one JSON object')
    .action((service: string, options: ImageLogOptions) =>
      act(async (terminal) => (await import('./commands/logs.js')).imageLog(service, options, terminal)),
    );
  workspaceCommand(logs, 'service <service>', 'what the pods of the live release have printed')
    .option('--previous', 'of the containers before the present ones: why they ended')
    .option('--tail <lines>', 'only the last lines', count)
    .option('--json', 'print it as one JSON object')
    .action((service: string, options: ServiceLogOptions) =>
      act(async (terminal) => (await import('./commands/logs.js')).serviceLog(service, options, terminal)),
    );
}
