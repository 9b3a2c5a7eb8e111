import { extname } from 'node:path';
import { destination, pino, type Logger } from 'pino';

import { readConfig, type Config } from './config.js';
import { startScoringServer } from './scoring-server.js';
import { ExitCode, StartupError } from './startup.js';

// Synchronous, so that the last line, which says why the process ends, is written before it does.
const log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination({ dest: 1, sync: true }));

function end(code: number, error: unknown): never {
  const reason = error instanceof Error ? error.message : String(error);
  log.fatal({ err: error instanceof StartupError ? error.cause : error, exitCode: code }, reason);
  process.exit(code);
}

function configure(): Config {
  try {
    return readConfig(process.env);
  } catch (error) {
    return end(ExitCode.configuration, error);
  }
}

async function serve(config: Config, logger: Logger): Promise<void> {
  const starting = startScoringServer({
    config,
    log: logger,
    // In the bundle both files end in .mjs, in dist/ in .js.
    threadScript: new URL(`./inference-thread${extname(import.meta.url)}`, import.meta.url),
    onExhausted: () => end(ExitCode.crashed, new Error('inference threads keep ending')),
  });
  let stopping: Promise<never> | undefined;
  const stop = () => {
    stopping ??= starting.then((server) => server.drain()).then(() => process.exit(0));
  };
  // From the start: the first process of a container ignores a signal that it does not handle.
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  await starting;
}

process.on('uncaughtException', (error) => end(ExitCode.crashed, error));
process.on('unhandledRejection', (error) => end(ExitCode.crashed, error));

const config = configure();
log.level = config.logLevel;
serve(config, log).catch((error: unknown) =>
  end(error instanceof StartupError ? error.exitCode : ExitCode.crashed, error),
);
