import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import { createActivities } from './activities/activities.js';
import { connectToAzure } from './azure/connection.js';
import { connectionFailure, requireNamespace, temporalSettings } from './client/temporal.js';
import { SlipwayError } from './deployment/errors.js';
import { TASK_QUEUE } from './deployment/temporal.js';
import { temporalLogger, workerLog } from './worker/log.js';
import { registerSearchAttributes } from './worker/search-attributes.js';

/** What is in flight may end by itself: calls to Azure take seconds, pushing an image up to half a minute. */
const GRACE_TIME = '30s';
/** Then its activities are abandoned; Temporal runs them again elsewhere. A container's stop time must be above this. */
const FORCE_TIME = '60s';
/** Temporal holds heartbeats back by 24 s for pushImage's timeout; a person who watches wants to see the bytes go. */
const HEARTBEAT_THROTTLE = '2s';

/**
 * The worker process: reads `TEMPORAL_*`, `AZURE_*`, `SLIPWAY_*` and `LOG_FORMAT` (`text`, or `json`), and runs until SIGINT
 * or SIGTERM.
 */
async function main(): Promise<void> {
  const format = process.env['LOG_FORMAT'] === 'json' ? 'json' : 'text';
  const log = workerLog(format);
  Runtime.install({
    logger: temporalLogger(log, format),
    telemetryOptions: { logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} } },
  });

  const { options, namespace } = temporalSettings();
  const connection = await NativeConnection.connect(options).catch(async (cause: unknown) => {
    throw await connectionFailure(options, cause);
  });
  try {
    await requireNamespace(connection, namespace, options.address);
    await registerSearchAttributes(connection, namespace, log);
    const worker = await Worker.create({
      connection,
      namespace,
      taskQueue: TASK_QUEUE,
      ...workflows(),
      activities: createActivities({ azure: connectToAzure() }),
      shutdownGraceTime: GRACE_TIME,
      shutdownForceTime: FORCE_TIME,
      maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE,
    });
    log.info(`worker is ready: task queue ${TASK_QUEUE}, namespace ${namespace}`);
    // Whoever started it as a child process with a channel waits for this.
    process.send?.('ready');
    await worker.run();
  } finally {
    await connection.close();
  }
}

/** The bundle that the build made, which starts in a third of the time; without one, the sources are bundled now. */
function workflows(): Pick<WorkerOptions, 'workflowBundle' | 'workflowsPath'> {
  const bundle = fileURLToPath(new URL('./workflow-bundle.js', import.meta.url));
  if (existsSync(bundle)) return { workflowBundle: { codePath: bundle } };
  return { workflowsPath: fileURLToPath(new URL('./workflows/index.js', import.meta.url)) };
}

/** A worker that cannot start says why in lines for people; whoever supervises it starts it again. */
function report(error: unknown): void {
  const known = error instanceof SlipwayError;
  const lines = known ? [`✗ ${error.code} · ${error.message}`] : [String(error instanceof Error ? error.stack : error)];
  if (known && error.cause instanceof Error) lines.push(`  cause: ${error.cause.message}`);
  if (known && error.fix) lines.push(`  fix: ${error.fix}`);
  process.stderr.write(`${lines.join('\n')}\n`);
}

try {
  await main();
} catch (error) {
  report(error);
  process.exitCode = 1;
}
