/** Largest request, in bytes: a few hundred photos of a phone, scaled down as clients do; gRPC's own default is 4 MiB. */
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/** A renewed certificate counts after so long at most: renewals come days before the old one ends. */
export const CERTIFICATE_REFRESH_MS = 5_000;

/** Largest body of a REST call, in bytes: JSON is parsed on the thread that answers everybody, 32 MiB in about 0.2 s. */
export const MAX_REST_BODY_BYTES = 32 * 1024 * 1024;

/**
 * For the HTTP ports: a client sends its headers and its whole request in time, or loses the connection. Idle ones are kept
 * longer than load balancers keep theirs (60 s), so that it is not the server that closes under a request.
 */
export const HTTP_TIMEOUTS_MS = { headersTimeout: 10_000, requestTimeout: 60_000, keepAliveTimeout: 65_000 };

/** Most calls at a time on one connection: their messages are in memory before a limit of ours can refuse them. */
export const MAX_CALLS_PER_CONNECTION = 256;

/**
 * What a caller may send of one call before it hears of the server: a photo of a phone. HTTP/2's default, 64 KiB, makes it wait
 * for a round trip for each 64 KiB.
 */
export const CALL_WINDOW_BYTES = 4 * 1024 * 1024;

/** The same for all calls of a connection together, so that a few photos are on their way at a time. */
export const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024;

/** Most images in one request: they are all held in memory together with their answers. */
export const MAX_IMAGES_PER_REQUEST = 1024;

/** What may wait for an inference thread. */
export interface QueueLimits {
  images: number;
  bytes: number;
  seconds: number;
}

/**
 * Beyond so many waiting images a caller is better off asking another replica; what waited longer than the clients' own
 * deadlines (30 s for many images, as in 2019) is scored for nobody.
 */
export const QUEUE_LIMITS = { images: 2048, seconds: 30 };

/** A caller that met a full queue is asked to wait for so long: a thread scores tens of images in that time. */
export const QUEUE_RETRY_MS = 1_000;

/** Part of the container's memory that waiting images may take. */
export const QUEUE_MEMORY_SHARE = 0.2;

/** Most pixels of one image, where there is memory for it. A few kilobytes of JPEG can claim 65,535 × 65,535. */
export const MAX_PIXELS = 50_000_000;

/**
 * Memory for one pixel while its image is scored: 3 bytes decoded, 12 as floats in the preprocessing (measured: 15.4 together),
 * 6 for the coefficients of a progressive JPEG or 8 for the samples of a PNG of 16 bits with alpha.
 */
export const BYTES_PER_PIXEL = 24;

/** Part of the container's memory that the images being scored may take; the rest is the model, the queue and Node. */
export const IMAGE_MEMORY_SHARE = 0.5;

/**
 * Most scans of one JPEG: encoders write ten, and each scan goes over the whole image again, however few bytes it has. A
 * megabyte of scans would keep a thread busy for minutes.
 */
export const MAX_JPEG_SCANS = 100;

/** Most images in one run of the model: more gain nothing on a CPU and cost memory in proportion. */
export const MAX_ROWS_PER_RUN = 8;

/** How many images of different requests one run of the model takes at most, and how long the first waits for the others. */
export interface BatchLimits {
  images: number;
  waitMs: number;
}

/** Longest that an image may be told to wait for others: callers who batch for throughput think in milliseconds. */
export const MAX_BATCH_WAIT_MS = 1000;

/** Most inference threads when nobody says how many: each holds its own copy of the model's weights. */
export const MAX_DEFAULT_THREADS = 4;

/** An inference thread that ends is replaced; after so many within {@link THREAD_FAILURE_WINDOW_MS} the process ends. */
export const MAX_THREAD_FAILURES = 3;

/** See {@link MAX_THREAD_FAILURES}. */
export const THREAD_FAILURE_WINDOW_MS = 60_000;

/** A decode buffer up to so many bytes (a photo of 5 megapixels) is kept for the next image: fresh memory costs a page fault per 4 KiB. */
export const MAX_KEPT_DECODE_BYTES = 16 * 1024 * 1024;

/** Sizes of photos for which a thread keeps where the image's values are, 6 KB for an image of 224 × 224. */
export const MAX_KEPT_GEOMETRIES = 64;

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

/** From a cached answer to a deadline: a small network takes a millisecond, a large one on one CPU a second. */
export const LATENCY_BUCKETS_SECONDS = [
  0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];
