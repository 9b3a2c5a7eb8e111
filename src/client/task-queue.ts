import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { TASK_QUEUE } from '../deployment/temporal.js';
import { POLLER_FRESH_MS } from './limits.js';

const { TASK_QUEUE_TYPE_WORKFLOW } = proto.temporal.api.enums.v1.TaskQueueType;

/**
 * What to say when no worker would take a change up; undefined when one polls, or when Temporal does not tell.
 */
export async function missingWorker(client: Client): Promise<string | undefined> {
  const { namespace } = client.options;
  const queue = { namespace, taskQueue: { name: TASK_QUEUE }, taskQueueType: TASK_QUEUE_TYPE_WORKFLOW };
  const pollers = await client.connection.workflowService.describeTaskQueue(queue).then(
    (answer) => answer.pollers,
    () => undefined,
  );
  if (pollers === undefined) return undefined;
  const oldest = Date.now() - POLLER_FRESH_MS;
  if (pollers.some(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1000 > oldest)) return undefined;
  return `no worker polls task queue ${TASK_QUEUE} in namespace ${namespace}; start one with \`slipway worker\``;
}
