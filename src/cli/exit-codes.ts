import { ChangeFailed, type Snapshot } from '../client.js';
import { SlipwayError } from '../deployment/errors.js';

/** What the command's exit code says. Stable: scripts branch on it. */
export const EXIT = {
  ok: 0,
  /** Wrong usage, or a fault of ours. */
  internal: 1,
  /** Refused before anything was created. */
  refused: 3,
  /** Failed or cancelled, and everything that was begun was undone. */
  undone: 4,
  /** Failed, and something is left: it is listed. */
  residue: 5,
  /** Temporal cannot be reached. */
  unreachable: 6,
  /** Detached: the change goes on. */
  detached: 130,
} as const;

/** Errors of ours that come from before a workflow was started. */
const UNREACHABLE = new Set(['TemporalUnreachable']);

/** The exit code for an error; `last` is the last look at the change that failed, where there is one. */
export function exitCodeOf(error: unknown, last?: Snapshot): number {
  if (error instanceof ChangeFailed) {
    const kept = last?.progress?.undo.some(({ state }) => state === 'kept') ?? false;
    if (error.residue.length > 0 || kept) return EXIT.residue;
    return error.undone.length > 0 || error.cancelled ? EXIT.undone : EXIT.refused;
  }
  if (error instanceof SlipwayError) return UNREACHABLE.has(error.code) ? EXIT.unreachable : EXIT.refused;
  return EXIT.internal;
}
