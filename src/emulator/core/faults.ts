import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Collection, Documents } from './documents.js';

const isPattern = (text: string): boolean => {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
};

/** A fault as a test asks for it. */
export const faultSchema = z.strictObject({
  name: z.string().min(1),
  match: z.strictObject({
    service: z.string().optional(),
    method: z.string().toUpperCase().optional(),
    /** Regular expression, ignoring case, for the path without query and with duplicate slashes collapsed. */
    path: z.string().refine(isPattern, 'not a regular expression').optional(),
    /** The first matching call that it hits, from 1. */
    nth: z.int().min(1).default(1),
    /** Counts the calls of each path on their own, so that one rule hits for example the first PUT of every resource. */
    eachPath: z.boolean().optional(),
    /** State of the resource that the path is of or below of: a managed cluster's `provisioningState`, a job's `status`. */
    state: z.string().optional(),
    /** Hits this share of the calls from `nth` on. Which ones follows from `seed`, and is the same every time. */
    probability: z.number().gt(0).max(1).optional(),
    seed: z.int().optional(),
  }),
  /** How many calls it hits; 0 is all. */
  times: z.int().min(0).default(1),
  /** Before the handler, after it has committed, or during the asynchronous operation that the call begins. */
  when: z.enum(['before', 'after', 'operation']),
  then: z.strictObject({
    status: z.int().min(400).max(599).optional(),
    code: z.string().optional(),
    message: z.string().optional(),
    headers: z.record(z.string(), z.string()).optional(),
    delayMs: z.number().min(0).optional(),
    reset: z.literal(true).optional(),
    /** After the handler: half of the reply's body, then the connection is cut. */
    truncate: z.literal(true).optional(),
    stuck: z.literal(true).optional(),
    /** Of a managed cluster: who has read that the operation has succeeded finds it Updating from the next look on. */
    relapse: z.literal(true).optional(),
  }),
});

export type Fault = z.output<typeof faultSchema>;

interface FaultState {
  fault: Fault;
  /** Matching calls so far, by path where each is counted on its own, else under the empty one. */
  seen: Record<string, number>;
  fired: number;
}

/** The faults that wait for their call. They survive a restart, as do their counts. */
export class Faults {
  private readonly states: Collection<FaultState>;
  private readonly resourceStates: ((path: string) => string | undefined)[] = [];

  constructor(documents: Documents) {
    this.states = documents.collection<FaultState>('faults');
  }

  /** Adds what knows the state of the resource that a path is of, for rules that ask for one. */
  stateSource(source: (path: string) => string | undefined): void {
    this.resourceStates.push(source);
  }

  add(fault: Fault): void {
    this.states.put(fault.name, { fault, seen: {}, fired: 0 });
  }

  list(): (Fault & { fired: number })[] {
    return this.states.list().map(({ fault, fired }) => ({ ...fault, fired }));
  }

  /** Removes the fault of that name, or all. */
  remove(name?: string): void {
    for (const [id] of this.states.entries()) if (name === undefined || id === name) this.states.delete(id);
  }

  /** Counts a call, and returns the fault that hits it. */
  match(call: { service: string; method: string; path: string }): Fault | undefined {
    let hit: Fault | undefined;
    for (const [id, state] of this.states.entries()) {
      const { match } = state.fault;
      if (match.service !== undefined && match.service !== call.service) continue;
      if (match.method !== undefined && match.method !== call.method) continue;
      if (match.path !== undefined && !new RegExp(match.path, 'i').test(call.path)) continue;
      if (match.state !== undefined && this.stateOf(call.path) !== match.state) continue;
      const counted = match.eachPath ? call.path : '';
      const seen = (state.seen[counted] ?? 0) + 1;
      const hits = hit === undefined && seen >= match.nth && isDue(state, counted, seen);
      if (hits) hit = state.fault;
      this.states.put(id, {
        ...state,
        seen: { ...state.seen, [counted]: seen },
        fired: state.fired + (hits ? 1 : 0),
      });
    }
    return hit;
  }

  private stateOf(path: string): string | undefined {
    for (const source of this.resourceStates) {
      const state = source(path);
      if (state !== undefined) return state;
    }
    return undefined;
  }
}

/** Whether a rule hits the call with number `seen`: the next ones in a row, or those that its seed chooses. */
function isDue({ fault: { name, match, times }, fired }: FaultState, counted: string, seen: number): boolean {
  if (match.probability === undefined) return times === 0 || seen < match.nth + times;
  const chance = createHash('sha256')
    .update(`${match.seed ?? 1}/${name}/${counted}/${seen}`)
    .digest()
    .readUInt32BE();
  return chance < match.probability * 2 ** 32 && (times === 0 || fired < times);
}
