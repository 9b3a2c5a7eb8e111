import { shortId } from '../deployment/names.js';
import type { Progress, Residue, StepProgress, UndoProgress } from '../deployment/progress.js';

const SYMBOL: Record<StepProgress['state'] | UndoProgress['state'], string> = {
  pending: '·',
  running: '▶',
  done: '✓',
  failed: '✗',
  cancelled: '⊘',
  skipped: '–',
  removed: '✓',
  residue: '✗',
  kept: '•',
};

/** Longest text of a row, in characters: what is longer is whole in the failure and in the history. */
const TEXT_LENGTH = 300;

/**
 * The steps, and the undo where there is one, as Temporal's UI shows them under the workflow's current details. Tables
 * of one column: the panel is narrow and cuts off what has more, and it doubles the line breaks of paragraphs.
 */
export function progressMarkdown({ state, steps, undo, residue, failure }: Progress): string {
  const sections = [`**${state}**${failure ? `: \`${failure.code}\` ${plain(failure.message)}` : ''}`];
  if (residue.length > 0) sections.push(table('Left behind', residue.map(residueRow)));
  if (steps.length > 0) sections.push(table('Steps', steps.map(stepRow)));
  if (undo.length > 0) sections.push(table(steps.length > 0 ? 'Undo' : 'Removals', undo.map(undoRow)));
  return sections.join('\n\n');
}

function stepRow({ name, state, startedAt, endedAt, detail }: StepProgress): string {
  const hasEnded = startedAt !== undefined && endedAt !== undefined;
  const time = hasEnded ? ` in ${((endedAt - startedAt) / 1000).toFixed(1)} s` : '';
  return row(state, name, `${state}${time}`, detail);
}

function undoRow({ kind, state, removed, reason }: UndoProgress): string {
  const what = state === 'removed' && removed.length === 0 ? 'nothing was there' : removed.map(shortId).join(', ');
  return row(state, kind, state, reason ?? what);
}

function residueRow({ kind, ids, reason }: Residue): string {
  return `**${kind}** ${ids.map(plain).join(', ')} · ${plain(reason)}`;
}

function row(state: keyof typeof SYMBOL, name: string, what: string, note = ''): string {
  if (state === 'pending') return `${SYMBOL[state]} ${name}`;
  return `${SYMBOL[state]} **${name}** ${what}${note ? ` · ${plain(note)}` : ''}`;
}

function table(title: string, rows: readonly string[]): string {
  return [title, ':---', ...rows].map((cell) => `| ${cell} |`).join('\n');
}

/** A text on one line, in which nothing is markup: Azure's messages hold line breaks, stars and angle brackets. */
function plain(text: string): string {
  return text
    .slice(0, TEXT_LENGTH)
    .replaceAll(/\s*\n\s*/g, ' ')
    .replaceAll(/[\\`*_[\]<>|]/g, (sign) => `\\${sign}`);
}
