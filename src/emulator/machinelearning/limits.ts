/** Blobs moved at once for a job; more does not help on one disk. */
export const concurrentTransfers = 8;

/** How often the log of a running job is put where clients read it. */
export const logUploadMs = 1_000;

/** Last lines of a job's log that go into its error, and how long that may get. */
export const errorTailLines = 20;
export const errorTailCharacters = 2_000;

/** How long a command may take to end by itself when its job is cancelled. */
export const commandGraceMs = 2_000;

/** Another emulator on the same cache may be building the environment that a job waits for; this often we look. */
export const buildLockPollMs = 250;
