import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { FastifyRequest } from 'fastify';
import { longestJournal } from './limits.js';

/** What a call did to the state of Azure. A call that found everything as it should be has `unchanged`. */
export interface Effect {
  change: 'created' | 'updated' | 'deleted' | 'unchanged';
  /** Kind as in the inventory. */
  kind: string;
  id: string;
}

/** One call as it was answered. `status` is 0 where the connection was cut before a reply. */
export interface JournalEntry {
  seq: number;
  time: string;
  service: string;
  method: string;
  path: string;
  status: number;
  requestId: string;
  clientRequestId?: string;
  effect?: Effect;
  /** The fault that was injected into this call. */
  fault?: string;
}

/** Every call that any listener answered, in order; kept on disk as one JSON object a line. */
export class Journal {
  private readonly entries: JournalEntry[];
  private seq: number;

  constructor(private readonly file: string) {
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
    // A killed process may leave half a line at the end.
    const whole = lines.filter((line) => line.endsWith('}')).slice(-longestJournal);
    this.entries = whole.map((line) => JSON.parse(line) as JournalEntry);
    writeFileSync(`${file}.new`, whole.map((line) => `${line}\n`).join(''));
    renameSync(`${file}.new`, file);
    this.seq = this.entries.at(-1)?.seq ?? 0;
  }

  record(entry: Omit<JournalEntry, 'seq'>): JournalEntry {
    this.seq += 1;
    const recorded: JournalEntry = { seq: this.seq, ...entry };
    this.entries.push(recorded);
    if (this.entries.length > longestJournal) this.entries.shift();
    appendFileSync(this.file, `${JSON.stringify(recorded)}\n`);
    return recorded;
  }

  /** Entries after number `seq`. */
  since(seq: number): JournalEntry[] {
    return this.entries.filter((entry) => entry.seq > seq);
  }
}

/** Says what the handler of `request` did; the last one said stands in the journal. */
export function effect(request: FastifyRequest, change: Effect): void {
  request.call.effect = change;
}
