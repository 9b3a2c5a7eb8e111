import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  type WorkflowExecutionInfo,
} from '@temporalio/client';
import type { WorkspacePlace } from '../azure/workspace.js';
import { SlipwayError } from '../deployment/errors.js';
import type { DeployInput, TeardownInput } from '../deployment/input.js';
import { serviceWorkflowId, type Identity } from '../deployment/names.js';
import type { DeployResult } from '../deployment/result.js';
import { startingAttributes } from '../deployment/search-attributes.js';
import { TASK_QUEUE, WORKFLOWS, type WorkflowName } from '../deployment/temporal.js';
import { ChangeRunning } from './failures.js';
import { ChangeHandle } from './handle.js';
import { LISTED_CHANGES } from './limits.js';

/** What a change's memo holds: enough to find its handle again. */
interface ChangeMemo extends Record<string, unknown> {
  readonly service: string;
  readonly deploymentId: string;
}

/** A change as a list shows it. */
export interface Change {
  readonly service: string;
  readonly change: WorkflowName;
  readonly state: 'running' | 'completed' | 'failed' | 'cancelled' | 'terminated' | 'other';
  readonly startedAt: Date;
  readonly endedAt?: Date;
  readonly workflowId: string;
  readonly runId: string;
  /** Absent where whoever started it left no memo. */
  readonly deploymentId?: string;
}

/** Input of each workflow that changes a service. */
interface Inputs {
  readonly deploy: DeployInput;
  readonly teardown: TeardownInput;
}

/**
 * Starts a change of a service. Its workflow id is the service's, so that there is one at a time.
 *
 * @throws ChangeRunning when another one runs; a repeated start of the same deployment gives the handle of the one that runs
 */
export async function startChange<Name extends WorkflowName>(
  client: Client,
  change: Name,
  input: Inputs[Name],
  summary: string,
): Promise<ChangeHandle<Name>> {
  const { identity } = input;
  const { service, deploymentId } = identity;
  const workflowId = serviceWorkflowId(identity);
  const memo: ChangeMemo = { service, deploymentId };
  try {
    const { firstExecutionRunId } = await client.workflow.start(WORKFLOWS[change], {
      workflowId,
      taskQueue: TASK_QUEUE,
      args: [input],
      workflowIdConflictPolicy: 'FAIL',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      memo,
      staticSummary: summary,
      ...(input.searchAttributes ? { typedSearchAttributes: startingAttributes(service) } : {}),
    });
    return new ChangeHandle(client, change, service, deploymentId, workflowId, firstExecutionRunId);
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const running = await latestChange(client, identity);
    if (running.id === deploymentId && isOf(running, change)) return running;
    throw new ChangeRunning(service, workflowId);
  }
}

/**
 * Refuses a change before anything is uploaded for it: Temporal itself refuses it only when it is started.
 *
 * @throws ChangeRunning when another one than this deployment runs
 */
export async function requireNoOtherChange(client: Client, identity: Identity): Promise<void> {
  const workflowId = serviceWorkflowId(identity);
  const newest = await client.workflow
    .getHandle(workflowId)
    .describe()
    .catch((error: unknown) => {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    });
  if (newest?.status.name !== 'RUNNING' || deploymentOf(newest) === identity.deploymentId) return;
  throw new ChangeRunning(identity.service, workflowId);
}

/**
 * The newest change of a service.
 *
 * @throws WorkflowNotFoundError when there is none
 */
export async function latestChange(client: Client, identity: Identity): Promise<ChangeHandle> {
  const workflowId = serviceWorkflowId(identity);
  const execution = await client.workflow.getHandle(workflowId).describe();
  const { type, runId } = execution;
  return new ChangeHandle(client, nameOf(type), identity.service, deploymentOf(execution) ?? '', workflowId, runId);
}

/**
 * The deployment of that id, whether it runs or has ended; undefined when none was started. It is not started again: its
 * marks would be those of the first run, so that an undo of the second would remove what the first has made live.
 */
export async function startedDeployment(
  client: Client,
  identity: Identity,
): Promise<ChangeHandle<'deploy'> | undefined> {
  const { service, deploymentId } = identity;
  const workflowId = serviceWorkflowId(identity);
  for await (const execution of client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
    if (deploymentOf(execution) === deploymentId && nameOf(execution.type) === 'deploy')
      return new ChangeHandle(client, 'deploy', service, deploymentId, workflowId, execution.runId);
  }
  return undefined;
}

/**
 * What the newest deployment that succeeded answered, unless the service was deleted after it.
 *
 * @throws SlipwayError `NotLive` when there is none, or Temporal no longer keeps it
 */
export async function liveDeployment(client: Client, identity: Identity): Promise<DeployResult> {
  const workflowId = serviceWorkflowId(identity);
  const query = `WorkflowId = '${workflowId}' AND ExecutionStatus = 'Completed'`;
  for await (const { type, runId } of client.workflow.list({ query })) {
    if (type === WORKFLOWS.teardown) break;
    // The workflow `deploy` answers this type.
    return (await client.workflow.getHandle(workflowId, runId).result()) as DeployResult;
  }
  throw notLive(identity.service);
}

/** What is said where something is asked of a service that is not live. */
export function notLive(service: string): SlipwayError {
  return new SlipwayError('NotLive', `No deployment of ${service} is live as far as Temporal remembers`, {
    fix: 'Deploy it, or name its address: slipway score SERVICE PHOTO --address HOST:PORT --key KEY',
  });
}

/** The newest change of every service of a workspace, newest first. */
export async function listChanges(client: Client, place: WorkspacePlace): Promise<Change[]> {
  const prefix = serviceWorkflowId({ ...place, service: '' });
  const newest = new Map<string, Change>();
  const types = Object.values(WORKFLOWS).map((name) => `'${name}'`);
  let seen = 0;
  for await (const execution of client.workflow.list({ query: `WorkflowType IN (${types.join(', ')})` })) {
    if (++seen > LISTED_CHANGES) break;
    const { workflowId } = execution;
    if (workflowId.startsWith(prefix) && !newest.has(workflowId)) newest.set(workflowId, changeOf(execution, prefix));
  }
  return [...newest.values()];
}

/** Every change of a service that Temporal keeps, newest first. */
export async function* changesOf(client: Client, identity: Identity): AsyncGenerator<Change, void> {
  const prefix = serviceWorkflowId({ ...identity, service: '' });
  const query = `WorkflowId = '${serviceWorkflowId(identity)}'`;
  for await (const execution of client.workflow.list({ query })) yield changeOf(execution, prefix);
}

function changeOf(execution: WorkflowExecutionInfo, prefix: string): Change {
  const { workflowId, runId, type, status, startTime, closeTime } = execution;
  const deploymentId = deploymentOf(execution);
  const states: Partial<Record<typeof status.name, Change['state']>> = {
    RUNNING: 'running',
    COMPLETED: 'completed',
    FAILED: 'failed',
    CANCELLED: 'cancelled',
    TERMINATED: 'terminated',
  };
  return {
    service: workflowId.slice(prefix.length),
    change: nameOf(type),
    state: states[status.name] ?? 'other',
    startedAt: startTime,
    ...(closeTime ? { endedAt: closeTime } : {}),
    workflowId,
    runId,
    ...(deploymentId === undefined ? {} : { deploymentId }),
  };
}

/** Id of the deployment that a change is; absent where whoever started it left no memo. */
function deploymentOf({ memo }: Pick<WorkflowExecutionInfo, 'memo'>): string | undefined {
  return (memo as Partial<ChangeMemo> | undefined)?.deploymentId;
}

function nameOf(type: string): WorkflowName {
  return type === WORKFLOWS.teardown ? 'teardown' : 'deploy';
}

function isOf<Name extends WorkflowName>(handle: ChangeHandle, change: Name): handle is ChangeHandle<Name> {
  return handle.change === change;
}
