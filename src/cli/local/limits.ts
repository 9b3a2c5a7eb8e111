/** Longest wait for Temporal's dev server, in milliseconds: under one second where it was measured, with a slow disk in mind. */
export const TEMPORAL_START_MS = 30_000;

/** Longest wait for the local Azure, in milliseconds: it is ready in two seconds, and its first start makes keys. */
export const AZURE_START_MS = 30_000;

/** Longest wait for a worker, in milliseconds: two seconds where it was measured. */
export const WORKER_START_MS = 60_000;

/** Between two looks whether a local part is ready, in milliseconds. */
export const READY_INTERVAL_MS = 100;

/** How long a local part may take to stop, in milliseconds, before it is killed. */
export const STOP_MS = { worker: 65_000, azure: 20_000, temporal: 10_000, unready: 5_000 } as const;

/**
 * Ports for a program that cannot choose its own. They lie below those that systems give to outgoing connections (from 32768
 * on Linux), which could take one between our look and the program's start; `tries` are looked at before any other will do.
 */
export const CHOSEN_PORTS = { from: 20_000, to: 32_000, tries: 20 } as const;
