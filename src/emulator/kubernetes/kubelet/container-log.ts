import { createReadStream, createWriteStream, existsSync, mkdirSync, readFileSync, type WriteStream } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { longestLogBytes } from '../limits.js';

/** What a reader wants of a log. */
export interface LogOptions {
  tailLines?: number | undefined;
  limitBytes?: number | undefined;
  sinceTime?: Date | undefined;
  timestamps?: boolean | undefined;
}

/** The file of one run of a container: each line is its time, a space, and what was written. */
export function logFile(directory: string, podUid: string, container: string, run: number): string {
  return join(directory, podUid, container, `${run}.log`);
}

/** Writes the lines of a container's output to its log, with the time of each. */
export class ContainerLog {
  private readonly file: WriteStream;
  private written = 0;

  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true });
    this.file = createWriteStream(path, { flags: 'a' });
    // The directory goes with its pod, which may be before the last line is out.
    this.file.on('error', () => undefined);
  }

  /** Follows a stream of the container to its end. */
  follow(output: Readable): Promise<void> {
    return new Promise((resolve) => {
      const lines = createInterface({ input: output });
      lines.on('line', (line) => this.writeLine(line));
      lines.once('close', resolve);
    });
  }

  writeLine(line: string): void {
    const entry = `${new Date().toISOString()} ${line}\n`;
    this.written += entry.length;
    if (this.written <= longestLogBytes) this.file.write(entry);
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.file.end(resolve));
  }
}

const withoutTime = (line: string): string => line.slice(line.indexOf(' ') + 1);

/** The text of a log as a client asked for it; empty where the container has not written anything. */
export function readLog(path: string, { tailLines, limitBytes, sinceTime, timestamps = false }: LogOptions): string {
  if (!existsSync(path)) return '';
  let lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  if (sinceTime !== undefined) {
    const since = sinceTime.toISOString();
    lines = lines.filter((line) => line >= since);
  }
  if (tailLines !== undefined) lines = tailLines === 0 ? [] : lines.slice(-tailLines);
  const text = lines.map((line) => `${timestamps ? line : withoutTime(line)}\n`).join('');
  return limitBytes === undefined ? text : Buffer.from(text).subarray(0, limitBytes).toString();
}

/**
 * Sends what is appended to a log from `start` (bytes) on, whole lines only.
 * @returns where the next call goes on
 */
export async function readAppended(path: string, start: number, send: (line: string) => void): Promise<number> {
  if (!existsSync(path)) return start;
  let text = '';
  for await (const chunk of createReadStream(path, { start, encoding: 'utf8' })) text += String(chunk);
  const complete = text.slice(0, text.lastIndexOf('\n') + 1);
  for (const line of complete.split('\n').slice(0, -1)) send(line);
  return start + Buffer.byteLength(complete);
}
