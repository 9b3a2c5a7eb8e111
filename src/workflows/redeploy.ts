import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { CancellationScope, executeChild, ParentClosePolicy, uuid4 } from '@temporalio/workflow';
import type { DeploymentActivities } from '../deployment/activities.js';
import type { DeployInput, ModelInput, ModelSource } from '../deployment/input.js';
import { deploymentIdOf, serviceWorkflowId } from '../deployment/names.js';
import type { DeployResult, RedeployResult } from '../deployment/result.js';
import { startingAttributes } from '../deployment/search-attributes.js';
import { activitiesWith } from './activities.js';
import { deploy } from './deploy.js';
import { RedeployStatus } from './redeploy-status.js';

/**
 * One run of a schedule: what is live is deployed again with the latest version of its source model. Ends as `unchanged`,
 * `deployed` or `skipped`. When the deployment fails, what was live before serves on and the run fails too: its schedule then
 * pauses, with the reason.
 *
 * @param scheduled what was live when the schedule was made: used where Temporal has forgotten every deployment since
 */
export async function redeploy(scheduled: DeployInput): Promise<RedeployResult> {
  const { identity } = scheduled;
  const { service } = identity;
  const activities = activitiesWith(scheduled.patienceMinutes);
  const status = new RedeployStatus(scheduled);
  try {
    const live = await findLiveInput(activities, scheduled);
    if (!live) return status.skipped(`${service} is not live`);
    const { name, version } = await activities.findLatestModel({ identity, name: sourceName(live.model) });
    status.running(`${name}:${version}`);
    const { outcome, release, deploymentId } = await deployAgain(live, { kind: 'registered', name, version });
    return status.ended({ service, outcome, source: `${name}:${version}`, release, deploymentId });
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return status.skipped('a change is running');
    throw CancellationScope.current().consideredCancelled ? status.cancelled(error) : status.failed(error);
  }
}

/** What the newest deployment that went live was started with; undefined when the service is not there any more. */
async function findLiveInput(
  activities: DeploymentActivities,
  scheduled: DeployInput,
): Promise<DeployInput | undefined> {
  const { identity } = scheduled;
  const last = await activities.findLastDeployment({ identity });
  if (last.state === 'live') return last.input;
  if (last.state === 'deleted') return undefined;
  return (await activities.findService({ identity })).found ? scheduled : undefined;
}

/** Name under which new versions of the model are registered. */
function sourceName({ source, name }: ModelInput): string {
  return source.kind === 'registered' ? source.name : name;
}

/**
 * Deploys as a child under the service's one workflow id, as a client would. It outlives neither its cancellation nor that of
 * its parent without its undo: terminating it, as Temporal does when nothing is said, would skip that.
 */
async function deployAgain(live: DeployInput, source: ModelSource): Promise<DeployResult> {
  const identity = { ...live.identity, deploymentId: newDeploymentId() };
  const { service, deploymentId, workspaceName } = identity;
  const input: DeployInput = {
    ...live,
    identity,
    model: { ...live.model, source },
    // Nobody is there to look at what was kept, and a half-switched service would not be the old one.
    onFailure: 'undo',
  };
  return executeChild(deploy, {
    workflowId: serviceWorkflowId(identity),
    args: [input],
    memo: { service, deploymentId },
    staticSummary: `Redeploy ${service} to ${workspaceName}`,
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    ...(input.searchAttributes ? { typedSearchAttributes: startingAttributes(service) } : {}),
  });
}

/** A deployment id that a replay finds again. */
function newDeploymentId(): string {
  const hexadecimal = uuid4().replaceAll('-', '').match(/../g) ?? [];
  return deploymentIdOf(hexadecimal.map((byte) => Number.parseInt(byte, 16)));
}
