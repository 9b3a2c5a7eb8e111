/** Largest request, in bytes: a few hundred photos of a phone, scaled down as clients do; gRPC's own default is 4 MiB. */
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/** Most images in one request: they are all held in memory together with their answers. */
export const MAX_IMAGES_PER_REQUEST = 1024;

/** Most images that wait for a thread; beyond it a caller is better off asking another replica. */
export const MAX_QUEUED_IMAGES = 2048;

/** Most pixels of one image: 150 MB when decoded. A few kilobytes of JPEG can claim 65,535 × 65,535. */
export const MAX_PIXELS = 50_000_000;

/** Most images in one run of the model: more gain nothing on a CPU and cost memory in proportion. */
export const MAX_ROWS_PER_RUN = 8;

/** Most inference threads when nobody says how many: each holds its own copy of the model's weights. */
export const MAX_DEFAULT_THREADS = 4;

/** An inference thread that ends is replaced; after so many within {@link THREAD_FAILURE_WINDOW_MS} the process ends. */
export const MAX_THREAD_FAILURES = 3;

/** See {@link MAX_THREAD_FAILURES}. */
export const THREAD_FAILURE_WINDOW_MS = 60_000;

/** Longest that a stopping server waits for the run of the model that a thread is in. */
export const THREAD_CLOSE_MS = 5_000;

/** A call still running when its connection grows too old keeps the connection for so long after GOAWAY. */
export const CONNECTION_AGE_GRACE_MS = 30_000;

/**
 * Part of the drain time in which the server, no longer ready, still takes new connections: Kubernetes takes a moment to stop
 * sending them.
 */
export const LAME_DUCK_SHARE = 0.2;

/** A rotated key counts after so long at most; between, requests do not touch the disk. */
export const KEY_REFRESH_MS = 2_000;

/**
 * How far an output may be from the golden one: |got - golden| <= absolute + relative × |golden|. Another JPEG decoder moves
 * probabilities by 2e-2, float rounding by less than 1e-5.
 */
export const SELF_CHECK_TOLERANCE = { absolute: 1e-4, relative: 1e-3 };
