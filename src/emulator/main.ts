import { parseOptions, usage, UsageError } from './core/options.js';
import { StartError } from './core/start-error.js';
import { assignments, startLocalAzure, type Endpoints } from './start.js';

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  if (args.includes('--help')) {
    process.stdout.write(usage);
    return;
  }
  const { emulator, endpoints } = await startLocalAzure(parseOptions(args));
  process.stdout.write(announcement(endpoints));
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) return;
    stopping = true;
    process.stdout.write(`local Azure stops on ${signal}\n`);
    emulator.close().then(
      () => process.exit(0),
      (error: unknown) => {
        emulator.log.error({ err: error }, 'did not stop cleanly');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
}

function announcement(endpoints: Endpoints): string {
  return [
    `local Azure is ready: ${endpoints.arm}`,
    `  subscription ${endpoints.subscriptionId}, group ${endpoints.resourceGroup}, workspace ${endpoints.workspaceName}`,
    '',
    ...assignments(endpoints).map((assignment) => `export ${assignment}`),
    '',
  ].join('\n');
}

/** The system's errors of a place that is full or cannot be written. */
const STORAGE_ERRORS = ['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'ENOTDIR', 'EEXIST'];

function explain(error: unknown): string {
  if (error instanceof UsageError) return `${error.message}\n\n${usage}`;
  if (error instanceof StartError) return `${error.message}\n`;
  if (error instanceof Error && 'code' in error && STORAGE_ERRORS.includes(String(error.code))) {
    return `${error.message}\nits state and its cache must be directories that can be written: --state DIR, --cache DIR\n`;
  }
  return `${error instanceof Error ? error.stack : String(error)}\n`;
}

main().catch((error: unknown) => {
  process.stderr.write(explain(error));
  process.exit(error instanceof UsageError ? 2 : 1);
});
