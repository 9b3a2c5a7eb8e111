import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A named set of JSON documents. Values are copied neither in nor out: put what was changed. */
export interface Collection<T> {
  get(id: string): T | undefined;
  put(id: string, value: T): void;
  /** Whether there was one. */
  delete(id: string): boolean;
  /** Values whose id begins with `prefix`, in the order of their ids. */
  list(prefix?: string): T[];
  entries(prefix?: string): [string, T][];
}

/**
 * The emulator's memory: one JSON file a document, replaced by rename, with everything held in memory as well. A put is on disk when it
 * returns, so a killed process loses nothing that it answered for.
 */
export class Documents {
  private readonly collections = new Map<string, Collection<unknown>>();

  constructor(private readonly directory: string) {}

  /** The collection of that name; `T` is a promise of the caller, who is the only one to write it. */
  collection<T>(name: string): Collection<T> {
    let collection = this.collections.get(name);
    if (collection === undefined) {
      collection = new FileCollection<unknown>(join(this.directory, name));
      this.collections.set(name, collection);
    }
    return collection as Collection<T>;
  }
}

interface Stored<T> {
  id: string;
  value: T;
}

class FileCollection<T> implements Collection<T> {
  private readonly values = new Map<string, T>();

  constructor(private readonly directory: string) {
    mkdirSync(directory, { recursive: true });
    for (const name of readdirSync(directory)) {
      const file = join(directory, name);
      if (!name.endsWith('.json')) {
        rmSync(file, { force: true });
        continue;
      }
      const stored = JSON.parse(readFileSync(file, 'utf8')) as Stored<T>;
      this.values.set(stored.id, stored.value);
    }
  }

  get(id: string): T | undefined {
    return this.values.get(id);
  }

  put(id: string, value: T): void {
    const file = this.file(id);
    const stored: Stored<T> = { id, value };
    writeFileSync(`${file}.new`, JSON.stringify(stored));
    renameSync(`${file}.new`, file);
    this.values.set(id, value);
  }

  delete(id: string): boolean {
    rmSync(this.file(id), { force: true });
    return this.values.delete(id);
  }

  list(prefix = ''): T[] {
    return this.entries(prefix).map(([, value]) => value);
  }

  entries(prefix = ''): [string, T][] {
    const entries = [...this.values].filter(([id]) => id.startsWith(prefix));
    return entries.sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** Resource ids are longer than file names may be, so files go by digest. */
  private file(id: string): string {
    return join(this.directory, `${createHash('sha256').update(id).digest('hex').slice(0, 40)}.json`);
  }
}
