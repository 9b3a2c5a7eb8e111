import type { Snapshot } from '../../client.js';
import { headline, stepRows, undoRows, type Row } from './rows.js';
import { clip, elapsed, oneLine, signOf, type Colors } from './symbols.js';

/** Widest name of a step or kind. */
const NAME_WIDTH = 17;
/** Room for an elapsed time. */
const TIME_WIDTH = 12;
/** In a terminal narrower than this, a note gets a line of its own: beside the columns it would be cut to a few letters. */
const NARROW = 64;
/** What a narrow terminal has room for: what goes on or went wrong, not what came of the rest. */
const WORTH_A_LINE: ReadonlySet<Row['state']> = new Set(['running', 'failed', 'residue']);

/**
 * The step tree as lines for a terminal.
 *
 * @param now milliseconds since the epoch: what runs shows its age
 * @param width of the terminal, in characters: no line is longer, because a wrapped one could not be redrawn in place
 */
export function renderTree(snapshot: Snapshot, now: number, width: number, colors: Colors): string[] {
  const { progress, workerAbsent, noWorker } = snapshot;
  if (!progress) {
    const waiting = noWorker ?? (workerAbsent ? 'Waiting for a worker to take it up' : 'Waiting');
    return [noWorker === undefined ? colors.dim(waiting) : colors.yellow(clip(waiting, width))];
  }
  const render = width < NARROW ? renderNarrowRow : renderRow;
  const rows = (of: readonly Row[]): string[] => of.flatMap((row) => render(row, now, width, colors));
  const lines = [colors.bold(clip(headline(progress), width)), ...rows(stepRows(snapshot))];
  if (progress.failure) {
    lines.push(colors.red(clip(`  ${oneLine(progress.failure.message)}`, width)));
  }
  const removals = undoRows(snapshot);
  if (removals.length > 0) {
    if (progress.steps.length > 0) lines.push(progress.undo.some(({ state }) => state === 'kept') ? 'Kept' : 'Undo');
    lines.push(...rows(removals));
  }
  if (workerAbsent)
    lines.push(colors.yellow(clip(`  ${noWorker ?? 'no worker answers; this goes on when one runs'}`, width)));
  return lines;
}

function renderRow(row: Row, now: number, width: number, colors: Colors): string[] {
  const room = Math.max(0, width - NAME_WIDTH - TIME_WIDTH - 6);
  return [`${renderCells(row, now, TIME_WIDTH - 2, colors)}${colors.dim(clip(row.note, room))}`.trimEnd()];
}

function renderNarrowRow(row: Row, now: number, width: number, colors: Colors): string[] {
  const cells = renderCells(row, now, 0, colors).trimEnd();
  const isNoted = row.note !== '' && WORTH_A_LINE.has(row.state);
  return isNoted ? [cells, colors.dim(clip(`      ${row.note}`, width))] : [cells];
}

/** Sign, name and time of a row. */
function renderCells({ name, state, startedAt, endedAt }: Row, now: number, timeWidth: number, colors: Colors): string {
  const time = startedAt === undefined ? '' : elapsed((endedAt ?? now) - startedAt);
  const cells = `${name.padEnd(NAME_WIDTH)} ${time.padStart(timeWidth)}  `;
  return `  ${signOf(state, colors)} ${state === 'pending' ? colors.dim(cells.trimEnd()) : cells}`;
}
