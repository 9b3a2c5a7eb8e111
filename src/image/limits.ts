/**
 * Compression of layers. Measured on a 99 MB Node binary: level 1 took 1.2 s for 40 MB, level 4 1.3 s for 38 MB, level 6
 * 2.3 s for 37 MB. Beyond 4 time grows faster than size shrinks.
 */
export const gzipLevel = 4;

/** Longest that `ldd` may take for one file, in milliseconds; it only maps libraries, which takes some ten. */
export const lddTimeoutMs = 10_000;
