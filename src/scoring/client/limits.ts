/** Time a call may take, connecting and retries included, when its caller does not say: the 2019 client's for arrays. */
export const DEFAULT_TIMEOUT_MS = 30_000;

/** Azure's load balancer drops a flow that is idle for four minutes; a ping at half of that keeps it. */
export const KEEPALIVE_MS = 120_000;

/** A ping that is not answered within this time means that the connection is gone. */
export const KEEPALIVE_TIMEOUT_MS = 10_000;

/** First and longest pause before the next try, of a connection or of a call that came back UNAVAILABLE; it doubles. */
export const RETRY_BACKOFF_MS = { first: 200, longest: 2_000 };

/** Largest message in either direction, in bytes; the scoring server's own limit. */
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
