/** Times and sizes of what Slipway does in a cluster, each with its reason. */

/** One call of the Kubernetes API, in milliseconds. The API server gives up on a plain request after 60 s itself. */
export const REQUEST_TIMEOUT_MS = 20_000;

/** Until a port-forward is open, in milliseconds: a TLS handshake, an upgrade, and the API server's dial to the node. */
export const PORT_FORWARD_TIMEOUT_MS = 15_000;

/** Seconds for which a scoring server answers what it has accepted after SIGTERM; its default, said here because the grace builds on it. */
export const DRAIN_SECONDS = 10;

/** Seconds between SIGTERM and SIGKILL: the drain, and as much again for a busy node. */
export const TERMINATION_GRACE_SECONDS = 3 * DRAIN_SECONDS;

/** Seconds between two looks of the start-up probe: a small model is loaded in one or two. */
export const STARTUP_PERIOD_SECONDS = 1;

/** Looks of the start-up probe: five minutes to load the largest model from a cold disk and score its goldens. */
export const STARTUP_FAILURES = 300;

/** How long a running container may stay unready before its probe is the failure, in milliseconds: start-up, and a minute over. */
export const UNREADY_LIMIT_MS = (STARTUP_PERIOD_SECONDS * STARTUP_FAILURES + 60) * 1000;

/** How long the registry may refuse a pull, in milliseconds: Azure says that a role assignment can take ten minutes to be seen. */
export const PULL_REFUSED_GRACE_MS = 10 * 60_000;

/** How long a pull may fail for another reason, in milliseconds: geo-replication and DNS settle in less. */
export const PULL_FAILED_GRACE_MS = 2 * 60_000;

/** How long a container may fail to be set up (a missing Secret, a volume), in milliseconds: kubelets see new objects late. */
export const CONTAINER_SETUP_GRACE_MS = 60_000;

/** Last lines of a crashed container's log that are read. */
export const LOG_LINES = 20;

/** Characters of a log or of an event that go into a message; the whole of a failure must stay under 2 KB. */
export const LOG_EXCERPT = 1500;
