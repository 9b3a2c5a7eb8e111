import { createLogUpdate } from 'log-update';
import type { Transfer } from '../../client.js';
import { spokenBytes, spokenShare } from '../../deployment/bytes.js';
import { HEARTBEAT_MS, REDRAW_MS } from './intervals.js';
import { clip, elapsed } from './symbols.js';
import type { Terminal } from './terminal.js';

/**
 * Shows how far an upload is: one line that is redrawn, or without a terminal one at its start, every 30 s and at its end.
 *
 * @param what is uploaded, as in `Uploading WHAT`
 * @param run uploads, and tells how far it is
 */
export async function showUpload<T>(
  what: string,
  terminal: Terminal,
  run: (onUpload: (transfer: Transfer) => void) => Promise<T>,
): Promise<T> {
  const show = terminal.interactive ? redrawn(terminal) : lineByLine(terminal);
  let upload: Upload | undefined;
  const line = (): string => (upload ? renderUpload(what, upload) : `Reading the files of ${what}`);
  const timer = setInterval(() => show.still(line()), show.intervalMs);
  try {
    show.begin(line());
    const result = await run((transfer) => {
      const now = Date.now();
      const started = upload === undefined;
      upload = { transfer, startedAt: upload?.startedAt ?? now, now };
      if (started) show.start(line());
    });
    if (upload) show.end(renderUploaded(what, upload));
    return result;
  } finally {
    clearInterval(timer);
    show.done();
  }
}

/** How far an upload is; times in milliseconds since the epoch. */
export interface Upload {
  readonly transfer: Transfer;
  readonly startedAt: number;
  /** When it was told how far it is. */
  readonly now: number;
}

/** `Uploading flowers: 12 of 19 MB, 3.1 MB/s; 5.0 MB are there already`. */
export function renderUpload(what: string, { transfer, startedAt, now }: Upload): string {
  const { total, present, moved } = transfer;
  const rate = moved === 0 ? '' : `, ${rateOf(moved, now - startedAt)}`;
  return `Uploading ${what}: ${spokenShare(moved, total - present)}${rate}${alreadyThere(present)}`;
}

/** `Uploaded flowers: 19 MB in 6.1 s, 3.1 MB/s; 5.0 MB are there already`. */
export function renderUploaded(what: string, { transfer, startedAt, now }: Upload): string {
  const { total, present, moved } = transfer;
  if (moved === 0) return `Uploaded ${what}: nothing to send, all ${spokenBytes(total)} are there already`;
  const time = `${elapsed(now - startedAt)}, ${rateOf(moved, now - startedAt)}`;
  return `Uploaded ${what}: ${spokenBytes(moved)} in ${time}${alreadyThere(present)}`;
}

function alreadyThere(present: number): string {
  return present === 0 ? '' : `; ${spokenBytes(present)} are there already`;
}

/** The mean since the start; what took no time is counted as a millisecond. */
function rateOf(bytes: number, milliseconds: number): string {
  return `${spokenBytes((bytes / Math.max(1, milliseconds)) * 1000)}/s`;
}

interface Show {
  readonly intervalMs: number;
  /** Nothing is known yet of what there is to send. */
  begin(line: string): void;
  start(line: string): void;
  still(line: string): void;
  end(line: string): void;
  done(): void;
}

function redrawn({ stream }: Terminal): Show {
  const log = createLogUpdate(stream);
  const draw = (line: string): void => log(clip(line, stream.columns || 80));
  return { intervalMs: REDRAW_MS, begin: draw, start: draw, still: draw, end: draw, done: () => log.done() };
}

function lineByLine({ say }: Terminal): Show {
  const nothing = (): void => undefined;
  return { intervalMs: HEARTBEAT_MS, begin: nothing, start: say, still: say, end: say, done: nothing };
}
