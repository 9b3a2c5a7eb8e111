/** Longest wait for Temporal's first answer, in milliseconds: a server that runs answers in tens of them. */
export const CONNECT_TIMEOUT_MS = 5_000;

/** Longest wait for a worker's answer to a query, in milliseconds. Without a worker there is none: the caller is told so. */
export const QUERY_TIMEOUT_MS = 3_000;

/** Pause between two looks at a running workflow, in milliseconds: a person sees each state, the server hardly notices. */
export const WATCH_INTERVAL_MS = 400;

/** Uploads at a time: more did not make one connection's worth of bandwidth any wider. */
export const PARALLEL_UPLOADS = 4;

/** Longest wait for Azure's answer to a read, in milliseconds: they take one or two seconds. */
export const AZURE_TIMEOUT_MS = 30_000;

/** Newest changes that are looked through when all services are listed. */
export const LISTED_CHANGES = 500;
