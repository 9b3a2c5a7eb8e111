import type { WorkflowExecutionDescription } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import proto, { type temporal } from '@temporalio/proto';
import type { DeploymentActivities } from '../deployment/activities.js';
import type { Progress } from '../deployment/progress.js';
import type { Kind, Step } from '../deployment/steps.js';

/** An activity that Temporal will run again: what a deployment waits for. */
export interface PendingWait {
  readonly activity: string;
  /** Row of the step table or of the undo that it belongs to; absent for an activity that no row names. */
  readonly of?: Step | Kind;
  /** 1 while it runs for the first time. */
  readonly attempt: number;
  /** Why its last attempt did not end it, for example `AKS cluster is Creating, 4 min`. */
  readonly message?: string;
  /** What its attempt says while it runs, for example `pushing 40 of 93 MB`. */
  readonly doing?: string;
  /** When Temporal runs it again; absent while it runs. */
  readonly nextLook?: Date;
}

const { PENDING_ACTIVITY_STATE_STARTED } = proto.temporal.api.enums.v1.PendingActivityState;

/** A look at a deployment or teardown. */
export interface Snapshot {
  /** Absent until a worker has answered. */
  readonly progress?: Progress;
  readonly waits: readonly PendingWait[];
  /** Whether the workflow still runs. */
  readonly open: boolean;
  /** True when no worker answered the last question: `progress` is then what was known before. */
  readonly workerAbsent: boolean;
  /** When no worker polls at all: that, and what to do about it. */
  readonly noWorker?: string;
}

/** The row that each activity belongs to. */
const ROW: Record<keyof DeploymentActivities, Step | Kind | undefined> = {
  getWorkspace: 'workspace',
  preflight: 'workspace',
  registerModel: 'register',
  beginConversion: 'convert',
  awaitConversion: 'convert',
  registerConvertedModel: 'convert',
  pushImage: 'image',
  beginCluster: 'cluster',
  awaitCluster: 'cluster',
  grantPull: 'cluster',
  // The kind `service` is an undo row of the same name: which of the two is meant shows in the deployment's state.
  checkLive: 'service',
  beginRelease: 'service',
  awaitRelease: 'service',
  smokeScore: 'smoke',
  beginSwitch: 'switch',
  awaitSwitch: 'switch',
  scorePublic: 'switch',
  retireReleases: 'switch',
  removeService: 'service',
  removeRoleAssignment: 'role-assignment',
  removeImage: 'image',
  removeRegisteredModel: 'registered-model',
  removeConvertedModel: 'converted-model',
  removeJob: 'job',
  removeCluster: 'cluster',
  findService: undefined,
  findLastDeployment: undefined,
  findLatestModel: undefined,
};

/** What the workflow's pending activities wait for, from Temporal's description of it. */
export function pendingWaits(description: WorkflowExecutionDescription): PendingWait[] {
  return (description.raw.pendingActivities ?? []).map((pending) => {
    const activity = pending.activityType?.name ?? '';
    const of = activity in ROW ? ROW[activity as keyof DeploymentActivities] : undefined;
    const message = pending.lastFailure?.message;
    const doing = heartbeatOf(pending);
    const next = pending.nextAttemptScheduleTime;
    return {
      activity,
      ...(of ? { of } : {}),
      attempt: pending.attempt ?? 1,
      ...(message ? { message } : {}),
      ...(doing ? { doing } : {}),
      ...(next?.seconds ? { nextLook: new Date(Number(next.seconds) * 1000) } : {}),
    };
  });
}

/** The text of an attempt's last heartbeat. Undefined where it heartbeats none, or something that is not for people. */
function heartbeatOf({ state, heartbeatDetails }: temporal.api.workflow.v1.IPendingActivityInfo): string | undefined {
  // Temporal keeps the heartbeat for the next attempt: while that is not running, nobody is at it.
  const isRunning = state === PENDING_ACTIVITY_STATE_STARTED;
  const payload = isRunning ? heartbeatDetails?.payloads?.[0] : undefined;
  // The client is connected without a converter of its own.
  const details = payload ? defaultPayloadConverter.fromPayload<unknown>(payload) : undefined;
  return typeof details === 'string' ? details : undefined;
}
