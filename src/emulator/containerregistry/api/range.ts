/** Bytes `start` to `end`, both included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Reads a Range header for content of `size` bytes: undefined where all of it is wanted. ACR's own client leaves the unit
 * out; several ranges at once are answered with everything, as HTTP allows.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | undefined {
  const [, from = '', to = ''] = /^(?:bytes=)?(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (from === '' && to === '') return undefined;
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  return start > end ? 'unsatisfiable' : { start, end };
}

/** Reads the Content-Range of a chunk, `start-end`: undefined where there is none. */
export function parseContentRange(header: string | undefined): ByteRange | undefined {
  const [, start, end] = /^(?:bytes[ =])?(\d+)-(\d+)/.exec(header ?? '') ?? [];
  return start === undefined || end === undefined ? undefined : { start: Number(start), end: Number(end) };
}
