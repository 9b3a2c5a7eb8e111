// Healthy is a worker that Temporal has seen polling lately: a process that runs and cannot reach Temporal does no work.
import os from 'node:os';
import { connectToTemporal } from '../dist/client/temporal.js';
import { TASK_QUEUE } from '../dist/deployment/temporal.js';

/** A poll that finds nothing ends after a minute, in milliseconds; twice that leaves room for a slow server. */
const POLLED_WITHIN_MS = 120_000;

/** Activities: what a worker that drains gives up first. */
const ACTIVITY_TASK_QUEUE = 2;

const client = await connectToTemporal();
const { pollers } = await client.workflowService.describeTaskQueue({
  namespace: client.options.namespace,
  taskQueue: { name: TASK_QUEUE },
  taskQueueType: ACTIVITY_TASK_QUEUE,
});
// The SDK names a worker `PID@HOST`.
const own = pollers.filter(({ identity }) => identity?.endsWith(`@${os.hostname()}`));
const polled = own.some(({ lastAccessTime }) => Date.now() - Number(lastAccessTime?.seconds) * 1000 < POLLED_WITHIN_MS);
await client.connection.close();
if (!polled) {
  console.error(`Temporal has seen no worker of ${os.hostname()} on task queue ${TASK_QUEUE} lately`);
  process.exitCode = 1;
}
