import { ChangeFailed, type Snapshot } from '../client.js';
import { SlipwayError } from '../deployment/errors.js';
import { EXIT } from './exit-codes.js';

/** Temporal cannot be used. */
const UNREACHABLE = new Set(['TemporalUnreachable', 'TemporalRefused', 'NamespaceNotFound']);

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
