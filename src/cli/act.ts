import type { Command } from 'commander';
import type { Terminal } from './render/terminal.js';

/** What a command does; answers the exit code. */
export type Run = (terminal: Terminal) => Promise<number>;
/** Does what a command does, and keeps its exit code. */
export type Act = (run: Run) => Promise<void>;

/** Adds a command about a workspace. */
export function workspaceCommand(parent: Command, usage: string, description: string): Command {
  return parent
    .command(usage)
    .description(description)
    .option('--config <file>', 'the workspace’s config.json (default: searched upwards from here)');
}
