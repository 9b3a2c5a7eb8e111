import type { Snapshot } from '../../client.js';
import { headline, stepRows, undoRows, type Row } from './rows.js';
import { clip, elapsed, oneLine, signOf, type Colors } from './symbols.js';

/** Widest name of a step or kind. */
const NAME_WIDTH = 17;
/** Room for an elapsed time. */
const TIME_WIDTH = 12;

/**
 * The step tree as lines for a terminal.
 *
 * @param now milliseconds since the epoch: what runs shows its age
 * @param width of the terminal, in characters: no line is longer, because a wrapped one could not be redrawn in place
 */
export function renderTree(snapshot: Snapshot, now: number, width: number, colors: Colors): string[] {
  const { progress, workerAbsent } = snapshot;
  if (!progress) {
    return [colors.dim(workerAbsent ? 'Waiting for a worker to take it up' : 'Waiting')];
  }
  const line = (row: Row): string => renderRow(row, now, width, colors);
  const lines = [colors.bold(headline(progress)), ...stepRows(snapshot).map(line)];
  if (progress.failure) {
    lines.push(colors.red(clip(`  ${oneLine(progress.failure.message)}`, width)));
  }
  const removals = undoRows(snapshot);
  if (removals.length > 0) {
    if (progress.steps.length > 0) lines.push(progress.undo.some(({ state }) => state === 'kept') ? 'Kept' : 'Undo');
    lines.push(...removals.map(line));
  }
  if (workerAbsent) lines.push(colors.yellow('  no worker answers; this goes on when one runs'));
  return lines;
}

function renderRow({ name, state, note, startedAt, endedAt }: Row, now: number, width: number, colors: Colors): string {
  const time = startedAt === undefined ? '' : elapsed((endedAt ?? now) - startedAt);
  const room = Math.max(0, width - NAME_WIDTH - TIME_WIDTH - 6);
  const cells = `${name.padEnd(NAME_WIDTH)} ${time.padStart(TIME_WIDTH - 2)}  `;
  const text = state === 'pending' ? colors.dim(cells.trimEnd()) : cells;
  return `  ${signOf(state, colors)} ${text}${colors.dim(clip(note, room))}`.trimEnd();
}
