/** Time a call may take, connecting and retries included, when its caller does not say: the 2019 client's for arrays. */
export const DEFAULT_TIMEOUT_MS = 30_000;

/** Azure's load balancer drops a flow that is idle for four minutes; a ping at half of that keeps it. */
export const KEEPALIVE_MS = 120_000;

/** A ping that is not answered within this time means that the connection is gone. */
export const KEEPALIVE_TIMEOUT_MS = 10_000;

/** Pauses between the five attempts of a call, in milliseconds: the 2019 client's. */
export const RETRY_WAITS_MS: readonly number[] = [1_000, 2_000, 4_000, 8_000];

/** First and longest pause before a connection is tried again, in milliseconds: shorter than the first pause of a call. */
export const RECONNECT_BACKOFF_MS = { first: 200, longest: 800 };

/** Longest time for finding out why there is no connection, in milliseconds: a handshake takes tens of them. */
export const PROBE_TIMEOUT_MS = 3_000;

/** Largest message in either direction, in bytes; the scoring server's own limit. */
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/** Files that go into one request: what a server with few threads scores well within a deadline. */
export const FILES_PER_REQUEST = 16;

/** Bytes of files that go into one request: half of a message, which leaves room for a file as large as the rest. */
export const FILE_BYTES_PER_REQUEST = MAX_MESSAGE_BYTES / 2;

/** Requests for files that are under way at a time: two for each of two threads or pods, so that none waits for the client. */
export const PARALLEL_REQUESTS = 4;
