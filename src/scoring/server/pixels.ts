/** One decoded image: `height × width × 3` bytes, RGB, row by row. */
export interface Pixels {
  width: number;
  height: number;
  data: Uint8Array;
}

/** Bytes that are not an image this server can score; the message says why, for the caller. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
}
