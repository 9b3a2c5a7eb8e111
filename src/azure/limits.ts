/** Files that are sent or fetched at once: enough to fill a line, few enough for a laptop. */
export const PARALLEL_TRANSFERS = 4;

/** Bytes of a job's log that are read for an error message: far more than its last lines need. */
export const LOG_TAIL_BYTES = 64 * 1024;

/** Lines of a job's log that go into an error message; `MESSAGE_LIMIT` cuts them further. */
export const LOG_TAIL_LINES = 12;

/** Longest run of a conversion job, as an ISO 8601 duration: the largest featurizer takes minutes. Azure ML stops it then. */
export const CONVERSION_JOB_TIMEOUT = 'PT1H';

/** How often the next free version number is tried, when someone else takes it in between. */
export const VERSION_TRIES = 5;
