import type { Command } from 'commander';
import { workspaceCommand, type Act } from './act.js';
import type { RotateKeysOptions, ShowKeysOptions } from './commands/keys.js';

/** `slipway keys …` */
export function addKeyCommands(program: Command, act: Act): void {
  const group = program.command('keys').description('the two keys of a live service, either of which opens it');
  workspaceCommand(group, 'show <service>', 'print them')
    .option('--json', 'print them as one JSON object')
    .action((service: string, options: ShowKeysOptions) =>
      act(async () => (await import('./commands/keys.js')).showKeys(service, options)),
    );
  workspaceCommand(group, 'rotate <service>', 'make a new primary key; the one before becomes the secondary key')
    .option('--secondary', 'make a new secondary key instead, and leave the primary one')
    .action((service: string, options: RotateKeysOptions) =>
      act(async (terminal) => (await import('./commands/keys.js')).rotateKeys(service, options, terminal)),
    );
}
