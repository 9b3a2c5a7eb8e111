import type { Client } from '@temporalio/client';
import type { DeployInput } from './input.js';
import { serviceWorkflowId, type Identity } from './names.js';
import { WORKFLOWS } from './temporal.js';

/** What Temporal remembers of a service's deployments. */
export type LastDeployment =
  /** The newest one that went live, and what it was started with. */
  | { readonly state: 'live'; readonly input: DeployInput }
  /** A teardown came after it. */
  | { readonly state: 'deleted' }
  /** None; or they ended longer ago than the namespace keeps what has ended. */
  | { readonly state: 'unknown' };

/** Finds the deployment that a service was made live by, unless it was torn down after it. */
export async function findLastDeployment(client: Client, identity: Identity): Promise<LastDeployment> {
  const workflowId = serviceWorkflowId(identity);
  const query = `WorkflowId = '${workflowId}' AND ExecutionStatus != 'Running'`;
  for await (const { type, runId, status } of client.workflow.list({ query })) {
    // A teardown that failed has removed something all the same.
    if (type === WORKFLOWS.teardown) return { state: 'deleted' };
    if (type === WORKFLOWS.deploy && status.name === 'COMPLETED') {
      return { state: 'live', input: await inputOf(client, workflowId, runId) };
    }
  }
  return { state: 'unknown' };
}

/** What a deployment was started with. */
async function inputOf(client: Client, workflowId: string, runId: string): Promise<DeployInput> {
  const { loadedDataConverter } = client.options;
  let decoded = (await startedEvent(client, { workflowId, runId }))?.input?.payloads ?? [];
  for (const codec of [...loadedDataConverter.payloadCodecs].reverse()) decoded = await codec.decode(decoded);
  const [input] = decoded;
  if (!input) throw new Error(`Run ${runId} of ${workflowId} was started without an input`);
  // The workflow `deploy` takes this type.
  return loadedDataConverter.payloadConverter.fromPayload<DeployInput>(input);
}

/** What Temporal notes of the start of a workflow: the first event of its history. */
export async function startedEvent(
  client: Client,
  { workflowId, runId }: { readonly workflowId: string; readonly runId: string },
) {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    maximumPageSize: 1,
  });
  return history?.events?.[0]?.workflowExecutionStartedEventAttributes;
}
