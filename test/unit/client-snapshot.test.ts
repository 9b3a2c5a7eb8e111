import { defaultPayloadConverter } from '@temporalio/common';
import proto, { type temporal } from '@temporalio/proto';
import type { WorkflowExecutionDescription } from '@temporalio/client';
import { expect, it } from 'vitest';
import { pendingWaits } from '../../src/client/snapshot.js';

const { PENDING_ACTIVITY_STATE_SCHEDULED: SCHEDULED, PENDING_ACTIVITY_STATE_STARTED: STARTED } =
  proto.temporal.api.enums.v1.PendingActivityState;

const heartbeat = (details: unknown) => ({ payloads: [defaultPayloadConverter.toPayload(details)] });

/** The part of a description that is read. */
function describing(pending: temporal.api.workflow.v1.IPendingActivityInfo): WorkflowExecutionDescription {
  const description: unknown = { raw: { pendingActivities: [pending] } };
  return description as WorkflowExecutionDescription;
}

it.each([
  ['runs', { state: STARTED, heartbeatDetails: heartbeat('pushing 40 of 93 MB') }, 'pushing 40 of 93 MB'],
  ['waits for its next attempt', { state: SCHEDULED, heartbeatDetails: heartbeat('pushing 40 of 93 MB') }, undefined],
  ['keeps a list for itself', { state: STARTED, heartbeatDetails: heartbeat(['job-1']) }, undefined],
  ['says nothing', { state: STARTED }, undefined],
])('what an activity that %s says in its heartbeat', (_case, pending, doing) => {
  const [wait] = pendingWaits(describing({ activityType: { name: 'pushImage' }, attempt: 2, ...pending }));
  expect(wait).toMatchObject({ activity: 'pushImage', of: 'image', attempt: 2 });
  expect(wait?.doing).toBe(doing);
});

it('an activity that failed says why, and when it is tried again', () => {
  const pending = {
    activityType: { name: 'awaitCluster' },
    attempt: 3,
    state: SCHEDULED,
    lastFailure: { message: 'AKS cluster is Creating, 4 min' },
    nextAttemptScheduleTime: { seconds: 1_700_000_000 },
  };
  expect(pendingWaits(describing(pending as unknown as temporal.api.workflow.v1.IPendingActivityInfo))).toEqual([
    {
      activity: 'awaitCluster',
      of: 'cluster',
      attempt: 3,
      message: 'AKS cluster is Creating, 4 min',
      nextLook: new Date('2023-11-14T22:13:20Z'),
    },
  ]);
});
