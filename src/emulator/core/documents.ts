import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fewestLinesToCompact } from './limits.js';

/** A named set of JSON documents. Values are copied neither in nor out: put what was changed. */
export interface Collection<T> {
  get(id: string): T | undefined;
  put(id: string, value: T): void;
  /** Whether there was one. */
  delete(id: string): boolean;
  /** Values whose id begins with `prefix`, in the order of their ids. */
  list(prefix?: string): T[];
  entries(prefix?: string): [string, T][];
  clear(): void;
}

/**
 * The emulator's memory: one log a collection, with everything held in memory as well. A put is on disk when it returns, so a killed
 * process loses nothing that it answered for.
 */
export class Documents {
  private readonly collections = new Map<string, Collection<unknown>>();

  constructor(private readonly directory: string) {}

  /** The collection of that name, read when it is first used; `T` is a promise of the caller, who is the only one to write it. */
  collection<T>(name: string): Collection<T> {
    let collection = this.collections.get(name);
    if (collection === undefined) {
      collection = new LoggedCollection<unknown>(join(this.directory, `${name}.jsonl`));
      this.collections.set(name, collection);
    }
    return collection as Collection<T>;
  }
}

/** A line of the log: what became of a document. Without a value it was deleted. */
interface Change<T> {
  id: string;
  value?: T;
}

/** Changes are appended; a log that is mostly past is replaced by one of what is there. */
class LoggedCollection<T> implements Collection<T> {
  private loaded: Map<string, T> | undefined;
  private lines = 0;

  constructor(private readonly file: string) {}

  get(id: string): T | undefined {
    return this.values.get(id);
  }

  put(id: string, value: T): void {
    this.append({ id, value });
    this.values.set(id, value);
  }

  delete(id: string): boolean {
    if (!this.values.has(id)) return false;
    this.append({ id });
    return this.values.delete(id);
  }

  list(prefix = ''): T[] {
    return this.entries(prefix).map(([, value]) => value);
  }

  entries(prefix = ''): [string, T][] {
    const entries = [...this.values].filter(([id]) => id.startsWith(prefix));
    return entries.sort(([a], [b]) => (a < b ? -1 : 1));
  }

  clear(): void {
    rmSync(this.file, { force: true });
    this.values.clear();
    this.lines = 0;
  }

  private get values(): Map<string, T> {
    return (this.loaded ??= this.load());
  }

  private load(): Map<string, T> {
    const values = new Map<string, T>();
    if (!existsSync(this.file)) return values;
    const lines = readFileSync(this.file, 'utf8').split('\n');
    // What follows the last line break is a line that a killed process did not finish, and did not answer for.
    const isTorn = lines.pop() !== '';
    for (const line of lines) {
      const { id, value } = JSON.parse(line) as Change<T>;
      if (value === undefined) values.delete(id);
      else values.set(id, value);
    }
    this.lines = lines.length;
    if (isTorn) this.rewrite(values);
    return values;
  }

  private append(change: Change<T>): void {
    const { values } = this;
    // Tokens, keys and passwords are in some of them.
    if (this.lines === 0) mkdirSync(dirname(this.file), { recursive: true, mode: 0o700 });
    else if (this.lines > fewestLinesToCompact && this.lines > 2 * values.size) this.rewrite(values);
    appendFileSync(this.file, `${JSON.stringify(change)}\n`);
    this.lines += 1;
  }

  private rewrite(values: ReadonlyMap<string, T>): void {
    const lines = [...values].map(([id, value]) => `${JSON.stringify({ id, value })}\n`);
    writeFileSync(`${this.file}.new`, lines.join(''));
    renameSync(`${this.file}.new`, this.file);
    this.lines = lines.length;
  }
}
