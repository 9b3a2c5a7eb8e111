import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';

import { ScoringKeys } from './authentication.js';
import { Certificates } from './certificates.js';
import type { Config } from './config.js';
import { openGrpcPort } from './grpc-port.js';
import { plainHttp, servePlain, serveSecure, type Phase } from './http-server.js';
import { LAME_DUCK_SHARE } from './limits.js';
import { Metrics } from './metrics.js';
import { ModelApi } from './model-api.js';
import { openModelDirectory, type ModelDirectory } from './model-directory.js';
import { RestApi } from './rest-api.js';
import { Scorer } from './scorer.js';
import { checkGoldens } from './self-check.js';
import { ExitCode, step } from './startup.js';
import { ThreadPool } from './thread-pool.js';

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
 * Starts a scoring server: health port first, then model, inference threads and self-check, and the ports that score when all
 * are good.
 *
 * @throws StartupError
 */
export async function startScoringServer(options: ScoringServerOptions): Promise<ScoringServer> {
  const { config, log } = options;
  const started = performance.now();
  const metrics = new Metrics();
  const state: { phase: Phase; rest?: RestApi } = { phase: 'starting' };
  // With TLS, keys and images must not pass a plain port.
  const plainRest = () => (config.certificates ? undefined : state.rest);
  const plain = await step('health port', ExitCode.configuration, () =>
    servePlain(
      { host: config.host, port: config.httpPort },
      plainHttp({ phase: () => state.phase, metrics, rest: plainRest }),
    ),
  );
  log.info({ httpPort: plain.port }, 'health port open');
  const keys = await step('scoring keys', ExitCode.configuration, async () =>
    config.keysDirectory === undefined ? undefined : new ScoringKeys(config.keysDirectory),
  );
  const certificates = await step('certificate', ExitCode.configuration, async () =>
    config.certificates ? Certificates.open(config.certificates, log) : undefined,
  );
  const model = await step('model', ExitCode.model, () => openModelDirectory(config.modelDirectory));
  log.info({ digest: model.digest, threads: config.threads, maxPixels: config.maxPixels }, 'model found');
  const pool = await step('inference threads', ExitCode.model, () => startThreads(options, model, metrics));
  log.info('model loaded');
  const scorer = new Scorer(pool, model.manifest.inputs[0]?.name ?? 'input', config.queue);
  const check = await step('self-check', ExitCode.selfCheck, () =>
    checkGoldens(model, scorer, pool.size).catch(async (error: unknown) => {
      await pool.close();
      throw error;
    }),
  );
  log.info(check, 'self-check passed');
  // Not before: the self-check decides itself what each thread scores.
  pool.batch(config.batch);

  metrics.showModel(config.served, model.digest, () => pool.queued.images);
  const api = new ModelApi(config.served, model, scorer);
  const rest = new RestApi({ api, keys, metrics, log, maxConnectionAgeSeconds: config.maxConnectionAgeSeconds });
  state.rest = rest;
  const secure =
    certificates &&
    (await step('REST port', ExitCode.configuration, () =>
      serveSecure({ host: config.host, port: config.httpsPort }, certificates, (...call) => rest.handle(...call)),
    ));
  const grpc = await step('gRPC port', ExitCode.configuration, () =>
    openGrpcPort({ config, keys, certificates, api, metrics, log }),
  );
  state.phase = 'ready';
  log.info(
    {
      ...config.served,
      grpcPort: grpc.port,
      httpsPort: secure?.port,
      authenticated: keys !== undefined,
      startSeconds: Math.round(performance.now() - started) / 1000,
    },
    'ready',
  );

  return {
    drain: async () => {
      state.phase = 'draining';
      grpc.stopServing();
      const drainMs = config.drainSeconds * 1000;
      log.info({ drainSeconds: config.drainSeconds }, 'draining');
      await sleep(drainMs * LAME_DUCK_SHARE);
      const graceMs = drainMs * (1 - LAME_DUCK_SHARE);
      await Promise.all([grpc.close(graceMs), Promise.race([rest.close(), sleep(graceMs)])]);
      await pool.close();
      log.info('stopped');
      certificates?.close();
      secure?.server.close();
      plain.server.close();
    },
  };
}

function startThreads(
  { config, log, threadScript, onExhausted }: ScoringServerOptions,
  { directory, manifest }: ModelDirectory,
  metrics: Metrics,
): Promise<ThreadPool> {
  return ThreadPool.start({
    script: threadScript,
    threads: config.threads.workers,
    data: { directory, manifest, intraOpThreads: config.threads.intraOp, maxPixels: config.maxPixels },
    onRun: (run) => metrics.countRun(run),
    onThreadFailure: (error) => {
      metrics.countThreadFailure();
      log.error({ err: error }, 'an inference thread ended and is being replaced');
    },
    onExhausted,
  });
}
