/** The images of a request: JPEGs, or, with `shape`, tensors of that shape as little-endian bytes in row-major order. */
export interface Batch {
  rows: Uint8Array[];
  shape?: readonly number[];
}

/** Bytes of all images. */
export function sizeOf({ rows }: Batch): number {
  return rows.reduce((sum, row) => sum + row.byteLength, 0);
}
