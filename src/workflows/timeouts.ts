import type { ActivityOptions } from '@temporalio/workflow';
import { ActivityCancellationType } from '@temporalio/workflow';

/**
 * One attempt of a short activity. The activities abort every HTTP call before it, so that an attempt never outlives its
 * record in the history.
 */
const ATTEMPT = '60 s';

/** One look of a wait: reads only, so it may be shorter. An attempt that died with its worker is missed only after it. */
const LOOK = '30 s';

/** Coefficient 1 and a low maximum: a 503 or a restart of the worker never delays the next look by long. */
const RETRY = { initialInterval: '2 s', backoffCoefficient: 1, maximumInterval: '30 s' } as const;

/**
 * How long after a begin was given up a request that it sent may still commit: gateways in front of ARM give a request up to
 * a minute. Until then an absent resource is not believed absent.
 */
export const COMMIT_WINDOW_MS = 60_000;

/** How often an operation that failed for a transient reason (allocation, preemption) is begun again, the first included. */
export const MAX_BEGINS = 3;

/** Pause before it is begun again: what had no room or no machine a moment ago has none at once. */
export const BEGIN_AGAIN_AFTER = '30 s';

/**
 * Budgets: the time from the first attempt to giving up, in minutes. They are never a number of attempts, because a restart
 * of the worker counts as one. What waits for people or capacity (quota, permissions) gets the deployment's patience on top.
 */
const BUDGET_MINUTES = {
  /** A read, or one idempotent write: enough for an outage of a region's control plane. */
  call: 10,
  /** Whether a release is live already: when that is not clear so soon, the steps that make it so find out. */
  check: 1,
  /** Image: up to a few hundred megabytes over a slow line, the first time. */
  push: 45,
  /** The job queues for a machine (10 min for a cold pool), builds its environment once (10 to 20 min), and converts. */
  conversion: 120,
  /** AKS takes 4 to 10 minutes; its own operation gives up after 30. */
  cluster: 40,
  /** Image pull of a few hundred megabytes, the grace for a fresh pull right (up to 10 min), and the self-check. */
  release: 25,
  /** A load balancer's address and its probes. */
  address: 15,
  /** Draining lasts the connection age (15 min at most) and the pod's grace. */
  retire: 30,
  /** Removals wait out operations in progress; a cluster's deletion takes 4 to 15 minutes. */
  removal: 60,
} as const;

/** Named sets of options; `activities.ts` gives each activity one. */
export type Profile = keyof typeof BUDGET_MINUTES | 'begin' | 'preflight';

/** The options of a profile. `patienceMinutes` is how long the user lets it wait for quota, capacity and permissions. */
export function profile(name: Profile, patienceMinutes: number): ActivityOptions {
  switch (name) {
    case 'begin':
      // A begin that is cancelled is awaited: only its end tells whether it created something.
      return options(BUDGET_MINUTES.call + patienceMinutes, ActivityCancellationType.WAIT_CANCELLATION_COMPLETED);
    case 'preflight':
      // It reads only: its end tells nothing that a cancellation would have to wait for.
      return options(BUDGET_MINUTES.call + patienceMinutes, ActivityCancellationType.TRY_CANCEL);
    case 'push':
      return {
        ...options(BUDGET_MINUTES.push + patienceMinutes, ActivityCancellationType.WAIT_CANCELLATION_COMPLETED),
        // One attempt assembles and sends everything in the worker itself; its heartbeat says that it lives.
        startToCloseTimeout: '20 min',
        heartbeatTimeout: '30 s',
      };
    case 'conversion':
    case 'cluster':
    case 'release':
      return look(BUDGET_MINUTES[name] + patienceMinutes);
    case 'check':
    case 'address':
    case 'retire':
      return look(BUDGET_MINUTES[name]);
    case 'call':
    case 'removal':
      return options(BUDGET_MINUTES[name], ActivityCancellationType.TRY_CANCEL);
  }
}

/** The one last look after a budget has ended: the worker itself may have been away. */
export const LAST_LOOK: ActivityOptions = { startToCloseTimeout: ATTEMPT, retry: { maximumAttempts: 1 } };

function look(minutes: number): ActivityOptions {
  return { ...options(minutes, ActivityCancellationType.TRY_CANCEL), startToCloseTimeout: LOOK };
}

function options(minutes: number, cancellationType: ActivityCancellationType): ActivityOptions {
  return {
    startToCloseTimeout: ATTEMPT,
    scheduleToCloseTimeout: `${minutes} min`,
    retry: RETRY,
    cancellationType,
  };
}
