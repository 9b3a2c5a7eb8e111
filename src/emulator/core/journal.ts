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
  /** The resource group whose removal took this resource along, where no client made this call. */
  cascadeOf?: string;
  /** The fault that was injected into this call. */
  fault?: string;
}

/** Every call that any listener answered and what the removal of a resource group took along, in order; kept on disk as one JSON object a line. */
export class Journal {
  /** The newest entries as they are on disk, without a gap: reading all of a long journal back would delay the start. */
  private readonly lines: string[] = [];
  private seq = 0;

  constructor(private readonly file: string) {
    if (!existsSync(file)) return;
    const lines = readFileSync(file, 'utf8').split('\n');
    // A killed process may leave half a line at the end.
    const isTorn = lines.pop() !== '';
    this.lines = lines.slice(-longestJournal);
    this.seq = (JSON.parse(this.lines.at(-1) ?? '{"seq":0}') as Pick<JournalEntry, 'seq'>).seq;
    if (!isTorn && this.lines.length === lines.length) return;
    writeFileSync(`${file}.new`, this.lines.map((line) => `${line}\n`).join(''));
    renameSync(`${file}.new`, file);
  }

  record(entry: Omit<JournalEntry, 'seq'>): JournalEntry {
    this.seq += 1;
    const recorded: JournalEntry = { seq: this.seq, ...entry };
    const line = JSON.stringify(recorded);
    this.lines.push(line);
    // Many at a time: taking one off the front of a long array moves all the others.
    if (this.lines.length > longestJournal * 1.1) this.lines.splice(0, this.lines.length - longestJournal);
    appendFileSync(this.file, `${line}\n`);
    return recorded;
  }

  /** Entries after number `seq`. */
  since(seq: number): JournalEntry[] {
    const before = this.seq - this.lines.length;
    return this.lines.slice(Math.max(0, seq - before)).map((line) => JSON.parse(line) as JournalEntry);
  }
}

/** Says what the handler of `request` did; the last one said stands in the journal. */
export function effect(request: FastifyRequest, change: Effect): void {
  request.call.effect = change;
}
