import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { home } from './home.js';
import { PARTS, type LocalProcess } from './processes.js';

const Mark = z.object({ pid: z.number(), started: z.string() });

/** `.slipway/stack.json`: what runs, so that commands in other terminals find it and the next stack can end what is left of it. */
const StackRecord = z.object({
  /** The process whose stack it is, and which command that is. */
  owner: Mark.extend({ command: z.enum(['up', 'demo']) }),
  /** Every part that was started, ready or not. */
  parts: z.array(Mark.extend({ name: z.enum(PARTS) })),
  /** Present while all parts are ready. */
  temporal: z.object({ address: z.string(), namespace: z.string(), ui: z.string().optional() }).optional(),
});
export type StackRecord = z.infer<typeof StackRecord>;
export type StackCommand = StackRecord['owner']['command'];
export type TemporalAddress = NonNullable<StackRecord['temporal']>;

const recordFile = (): string => home('stack.json');

/** The record as it is now; undefined when there is none that can be read. */
export function readRecord(): StackRecord | undefined {
  try {
    return StackRecord.parse(JSON.parse(readFileSync(recordFile(), 'utf8')));
  } catch {
    return undefined;
  }
}

/** Removes a record whose owner is gone, unless another terminal has put its own there since. */
export function discardRecord(record: StackRecord | undefined): void {
  if (JSON.stringify(readRecord()) === JSON.stringify(record)) rmSync(recordFile(), { force: true });
}

/**
 * The record of this process's stack. It is written synchronously, so that writes do not overtake each other and there is
 * nearly no moment in which a part runs without a record.
 */
export class OwnRecord {
  private constructor(private record: StackRecord) {}

  /** Makes this process's the only stack of this home; undefined when there is a record already. */
  static claim(owner: StackRecord['owner']): OwnRecord | undefined {
    const record: StackRecord = { owner, parts: [] };
    const partial = writePartial(record);
    try {
      // Unlike a rename, this fails when there is one.
      linkSync(partial, recordFile());
      return new OwnRecord(record);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
      throw error;
    } finally {
      rmSync(partial, { force: true });
    }
  }

  add({ name, pid, started }: LocalProcess): void {
    this.write({ ...this.record, parts: [...this.record.parts, { name, pid, started }] });
  }

  /** Lets other terminals use the stack. */
  ready(temporal: TemporalAddress): void {
    this.write({ ...this.record, temporal });
  }

  /** Tells other terminals that it is not to be used any more. */
  stopping(): void {
    const { owner, parts } = this.record;
    this.write({ owner, parts });
  }

  remove(): void {
    rmSync(recordFile(), { force: true });
  }

  private write(record: StackRecord): void {
    this.record = record;
    renameSync(writePartial(record), recordFile());
  }
}

function writePartial(record: StackRecord): string {
  mkdirSync(home(), { recursive: true });
  const partial = `${recordFile()}.${process.pid}`;
  writeFileSync(partial, JSON.stringify(record, undefined, 2));
  return partial;
}
