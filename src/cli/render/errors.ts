import { ChangeFailed, type Snapshot } from '../../client.js';
import { SlipwayError } from '../../deployment/errors.js';
import type { Colors } from './symbols.js';

/**
 * What went wrong, in the parts that a person needs: step, code, what happened, what was done about it, how to mend it.
 *
 * @param last the last look at the change that failed, where there is one
 */
export function renderError(error: unknown, colors: Colors, last?: Snapshot): string[] {
  if (!(error instanceof Error)) return [colors.red(`✗ ${String(error)}`)];
  if (!(error instanceof SlipwayError)) return [colors.red(`✗ ${error.stack ?? error.message}`)];
  const step = last?.progress?.steps.find(({ state }) => state === 'failed')?.name;
  const lines = [colors.red(['✗', step, step && '·', error.code, '·', error.message].filter(Boolean).join(' '))];
  if (error instanceof ChangeFailed) lines.push(...outcome(error, last));
  if (error.cause instanceof Error && error.cause.message !== error.message) {
    lines.push(colors.dim(`  cause: ${error.cause.message}`));
  }
  if (error.fix) lines.push(`  fix: ${error.fix}`);
  if (error instanceof ChangeFailed && error.detail.requestId) lines.push(`  request: ${error.detail.requestId}`);
  return lines;
}

function outcome({ undone, residue }: ChangeFailed, last: Snapshot | undefined): string[] {
  const kept = last?.progress?.undo.filter(({ state }) => state === 'kept').map(({ kind }) => kind) ?? [];
  const lines: string[] = [];
  if (undone.length > 0) lines.push(`  undone: ${undone.join(', ')}`);
  if (kept.length > 0) lines.push(`  kept, as onFailure says: ${kept.join(', ')}`);
  for (const { kind, ids, reason } of residue) lines.push(`  left: ${[kind, ...ids].join(' ')} (${reason})`);
  if (lines.length === 0) lines.push('  nothing had been created');
  return lines;
}
