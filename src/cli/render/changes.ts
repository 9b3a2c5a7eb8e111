import type { Progress, Snapshot } from '../../client.js';
import { headline, stepRows, undoRows, type Row } from './rows.js';
import { clip, elapsed, signOf, type Colors } from './symbols.js';

/** Longest note of a line: Temporal shows the whole. */
const NOTE_WIDTH = 240;

/** Where the headline of a new state stands among the lines of one look: before the steps, before the undo, or after all. */
type Place = 'first' | 'between' | 'last';
const PLACE: Record<Progress['state'], Place> = {
  running: 'first',
  deleting: 'first',
  undoing: 'between',
  deployed: 'last',
  unchanged: 'last',
  failed: 'last',
  cancelled: 'last',
  deleted: 'last',
};

/**
 * What changed between two looks, one line each: for logs, where nothing can be redrawn.
 */
export function renderChanges(previous: Snapshot | undefined, current: Snapshot, colors: Colors): string[] {
  const { progress } = current;
  const lines: string[] = [];
  if (current.workerAbsent && !previous?.workerAbsent) {
    lines.push(`  ${current.noWorker ?? 'no worker answers; this goes on when one runs'}`);
  }
  if (!progress) return lines;
  const before = new Map(previous ? allRows(previous).map((row) => [row.key, row]) : []);
  const changed = (rows: readonly Row[]): string[] =>
    rows
      .filter((row) => row.state !== 'pending' && hasChanged(before.get(row.key), row))
      .map((row) => renderLine(row, progress, colors));
  const news = progress.state === previous?.progress?.state ? undefined : PLACE[progress.state];
  const headlineAt = (place: Place): string[] => (news === place ? [headline(progress)] : []);
  return [
    ...lines,
    ...headlineAt('first'),
    ...changed(stepRows(current)),
    ...headlineAt('between'),
    ...changed(undoRows(current)),
    ...headlineAt('last'),
  ];
}

/** One line that says that it still runs, and what it is at. */
export function renderHeartbeat(snapshot: Snapshot, now: number): string {
  const running = allRows(snapshot).filter(({ state }) => state === 'running');
  const parts = running.map(({ key, note, startedAt }) => {
    const age = startedAt === undefined ? '' : ` ${elapsed(now - startedAt)}`;
    return `${key}${age}${note ? `, ${note}` : ''}`;
  });
  return `… still running${parts.length > 0 ? `: ${parts.join('; ')}` : ''}`;
}

function allRows(snapshot: Snapshot): Row[] {
  return [...stepRows(snapshot), ...undoRows(snapshot)];
}

function hasChanged(before: Row | undefined, row: Row): boolean {
  if (before?.state !== row.state) return true;
  // Between two activities of a step nothing is waited for: that is no news either.
  return row.note !== '' && withoutFigures(before.note) !== withoutFigures(row.note);
}

/** How long a wait has lasted, how often it was looked at and how many bytes have gone is alone no news. */
function withoutFigures(note: string): string {
  return note
    .replace(/ \(look \d+\)$/, '')
    .replaceAll(/\d+(\.\d+)?( (s|min|h)\b)?/g, '')
    .trim();
}

function renderLine({ key, name, state, note, startedAt, endedAt }: Row, progress: Progress, colors: Colors): string {
  const time = endedAt === undefined || startedAt === undefined ? '' : ` in ${elapsed(endedAt - startedAt)}`;
  // A teardown has no steps that its removals could be mistaken for.
  const label = progress.steps.length === 0 ? name : key;
  return `  ${signOf(state, colors)} ${label} ${state}${time}${note ? ` · ${clip(note, NOTE_WIDTH)}` : ''}`;
}
