import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';

import { requireKey, ScoringKeys } from './authentication.js';
import type { Config } from './config.js';
import { addServices } from './grpc-services.js';
import { serveHealth, type Phase } from './health.js';
import { CONNECTION_AGE_GRACE_MS, LAME_DUCK_SHARE, MAX_CALLS_PER_CONNECTION, MAX_MESSAGE_BYTES } from './limits.js';
import { Metrics } from './metrics.js';
import { ModelApi } from './model-api.js';
import { openModelDirectory } from './model-directory.js';
import { Scorer } from './scorer.js';
import { checkGoldens } from './self-check.js';
import { ThreadPool } from './thread-pool.js';

/** Why a server did not start; the process ends with the code. */
export class StartupError extends Error {
  override readonly name = 'StartupError';

  constructor(
    readonly exitCode: number,
    phase: string,
    cause: unknown,
  ) {
    super(`${phase}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** Exit codes, one for each thing an operator would look at. */
export const ExitCode = { crashed: 1, configuration: 2, model: 3, selfCheck: 4 } as const;

export interface ScoringServerOptions {
  config: Config;
  log: Logger;
  /** The module that an inference thread runs. */
  threadScript: URL;
  /** The server can score nothing more; the process should end. */
  onExhausted: () => void;
}

/** A scoring server that is ready. */
export interface ScoringServer {
  /** Stops being ready, sends GOAWAY, lets calls in flight finish within the drain time, and stops. */
  drain(): Promise<void>;
}

/**
 * Starts a scoring server: health port first, then model, inference threads and self-check, and gRPC when all are good.
 *
 * @throws StartupError
 */
export async function startScoringServer(options: ScoringServerOptions): Promise<ScoringServer> {
  const { config, log } = options;
  const started = performance.now();
  const metrics = new Metrics();
  let phase: Phase = 'starting';
  const health = await step('health port', ExitCode.configuration, () =>
    serveHealth({ host: config.host, port: config.httpPort }, () => phase),
  );
  log.info({ httpPort: health.port }, 'health port open');
  const keys = await step('scoring keys', ExitCode.configuration, async () =>
    config.keysDirectory === undefined ? undefined : new ScoringKeys(config.keysDirectory),
  );
  const model = await step('model', ExitCode.model, () => openModelDirectory(config.modelDirectory));
  log.info({ digest: model.digest, threads: config.threads }, 'model found');

  const pool = await step('inference threads', ExitCode.model, () =>
    ThreadPool.start({
      script: options.threadScript,
      threads: config.threads.workers,
      data: {
        directory: model.directory,
        manifest: model.manifest,
        intraOpThreads: config.threads.intraOp,
        maxPixels: config.maxPixels,
      },
      onRun: (run) => metrics.countRun(run),
      onThreadFailure: (error) => {
        metrics.countThreadFailure();
        log.error({ err: error }, 'an inference thread ended and is being replaced');
      },
      onExhausted: options.onExhausted,
    }),
  );
  log.info('model loaded');

  const scorer = new Scorer(pool, model.manifest.inputs[0]?.name ?? 'input', config.queue);
  const check = await step('self-check', ExitCode.selfCheck, () =>
    checkGoldens(model, scorer, pool.size).catch(async (error: unknown) => {
      await pool.close();
      throw error;
    }),
  );
  log.info(check, 'self-check passed');

  const grpc = new Server({
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_connection_age_ms': config.maxConnectionAgeSeconds * 1000,
    'grpc.max_connection_age_grace_ms': CONNECTION_AGE_GRACE_MS,
    'grpc.max_concurrent_streams': MAX_CALLS_PER_CONNECTION,
    interceptors: keys ? [requireKey(keys, () => metrics.countRejection(status.UNAUTHENTICATED))] : [],
  });
  const { served } = config;
  metrics.showModel(served, model.digest, () => pool.queuedImages);
  const services = addServices(grpc, { api: new ModelApi(served, model, scorer), metrics, log });
  const grpcPort = await step('gRPC port', ExitCode.configuration, () => bind(grpc, config));
  phase = 'ready';
  const startSeconds = Math.round(performance.now() - started) / 1000;
  log.info({ ...served, grpcPort, authenticated: keys !== undefined, startSeconds }, 'ready');

  return {
    drain: async () => {
      phase = 'draining';
      services.stopServing();
      const drainMs = config.drainSeconds * 1000;
      log.info({ drainSeconds: config.drainSeconds }, 'draining');
      await sleep(drainMs * LAME_DUCK_SHARE);
      await shutDown(grpc, drainMs * (1 - LAME_DUCK_SHARE), log);
      await pool.close();
      log.info('stopped');
      health.server.close();
    },
  };
}

async function step<T>(name: string, exitCode: number, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw new StartupError(exitCode, name, error);
  }
}

function bind(grpc: Server, { host, grpcPort }: Config): Promise<number> {
  const address = host.includes(':') ? `[${host}]:${grpcPort}` : `${host}:${grpcPort}`;
  return new Promise((resolve, reject) => {
    grpc.bindAsync(address, ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    );
  });
}

/** Takes no more connections and calls; calls in flight have `graceMs` to finish. */
async function shutDown(grpc: Server, graceMs: number, log: Logger): Promise<void> {
  const impatience = setTimeout(() => {
    log.warn('calls in flight did not finish in the drain time and are dropped');
    grpc.forceShutdown();
  }, graceMs);
  await new Promise<void>((resolve) => grpc.tryShutdown(() => resolve()));
  clearTimeout(impatience);
}
