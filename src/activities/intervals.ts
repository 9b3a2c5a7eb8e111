/** Seconds between two looks at something that has just begun: short enough for a person who watches. */
const FIRST_LOOK_SECONDS = 15;
/** Seconds between two looks at something that takes long: Azure throttles reads per subscription. */
const LAST_LOOK_SECONDS = 60;
/** A look is due when a tenth of the age so far has gone by: a wait is never seen more than 10 % late. */
const LOOK_SHARE = 0.1;

/** Seconds until the next try of what waits for quota, capacity or a permission: those change in minutes. */
export const SLOW_RETRY_SECONDS = 60;
/** Longest delay in seconds that an error may ask for: an outage that is over must not be waited out for minutes more. */
export const LONGEST_DELAY_SECONDS = 60;
/** Shortest delay in seconds: a service that answers `Retry-After: 0` is not asked in a tight loop. */
export const SMALLEST_DELAY_SECONDS = 0.2;

/** Seconds until the next look, growing with the age of the wait. */
export function lookInterval(ageSeconds: number): number {
  return Math.min(LAST_LOOK_SECONDS, Math.max(FIRST_LOOK_SECONDS, ageSeconds * LOOK_SHARE));
}

/** Seconds between two looks into a cluster: pods change within seconds, and its API server is throttled for nobody else. */
const CLUSTER_LOOK_SECONDS = { first: 1, last: 10 } as const;

/** Seconds until the next look into a cluster, growing with the age of the wait. */
export function clusterLookInterval(ageSeconds: number): number {
  const { first, last } = CLUSTER_LOOK_SECONDS;
  return Math.min(last, Math.max(first, ageSeconds * LOOK_SHARE));
}

/** Seconds between heartbeats: short enough for a person who watches; many fit into the workflow's heartbeat timeout. */
export const HEARTBEAT_SECONDS = 1;

/** Longest time in seconds for the end of a job's log: it takes five requests, and a look ends after 30 s. */
export const JOB_LOG_SECONDS = 10;
