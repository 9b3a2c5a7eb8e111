/** Longest wait for Temporal's first answer, in milliseconds: a server that runs answers in tens of them. */
export const CONNECT_TIMEOUT_MS = 5_000;

/** Longest wait for a worker's answer to a query, in milliseconds. Without a worker there is none: the caller is told so. */
export const QUERY_TIMEOUT_MS = 3_000;

/** Pause between two looks at a running workflow, in milliseconds: a person sees each state, the server hardly notices. */
export const WATCH_INTERVAL_MS = 400;

/** Longest wait for a TCP connection that is to tell why gRPC made none, in milliseconds: the person has waited already. */
export const PROBE_TIMEOUT_MS = 1_000;

/**
 * Age of a worker's last poll, in milliseconds, up to which it counts as running. Temporal holds a poll for a minute and lists
 * pollers for five, those of workers that are gone among them.
 */
export const POLLER_FRESH_MS = 75_000;

/** Uploads at a time: more did not make one connection's worth of bandwidth any wider. */
export const PARALLEL_UPLOADS = 4;

/** Photos of a directory that are in memory at once while they are looked through: enough to keep a disk busy. */
export const PARALLEL_FILE_READS = 4;

/** Longest wait for Azure's answer to a read, in milliseconds: they take one or two seconds. */
export const AZURE_TIMEOUT_MS = 30_000;

/** Questions to Azure or Temporal that a list asks at once: it is quick, and neither throttles. */
export const PARALLEL_READS = 8;

/** Changes that a history shows when nobody says how many: a screenful. */
export const HISTORY_LIMIT = 20;

/** Newest changes that are looked through when all services are listed. */
export const LISTED_CHANGES = 500;

/**
 * How late a scheduled redeploy may still be begun after an outage of Temporal. Later ones are left to the next time: people
 * who schedule at night do not expect a redeployment in the afternoon.
 */
export const CATCHUP_WINDOW = '1 hour';
