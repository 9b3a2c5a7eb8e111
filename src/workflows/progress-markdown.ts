import type { Progress, StepProgress, UndoProgress } from '../deployment/progress.js';

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

/** The step table, and the undo where there is one, as Temporal's UI shows them under the workflow's current details. */
export function progressMarkdown({ state, steps, undo, residue, failure }: Progress): string {
  const sections = [`**${state}**${failure ? `: \`${failure.code}\` ${oneLine(failure.message)}` : ''}`];
  if (steps.length > 0) {
    sections.push(table(['', 'step', 'state', 'seconds', 'detail'], steps.map(stepRow)));
  }
  if (undo.length > 0) {
    sections.push(table(['', 'undo', 'state', 'what'], undo.map(undoRow)));
  }
  if (residue.length > 0) {
    sections.push(
      `**Left behind:** ${residue.map(({ kind, ids, reason }) => `${kind} ${ids.join(', ')} (${oneLine(reason)})`).join('; ')}`,
    );
  }
  return sections.join('\n\n');
}

function stepRow({ name, state, startedAt, endedAt, detail }: StepProgress): string[] {
  const seconds = startedAt !== undefined && endedAt !== undefined ? ((endedAt - startedAt) / 1000).toFixed(1) : '';
  return [SYMBOL[state], name, state, seconds, oneLine(detail ?? '')];
}

function undoRow({ kind, state, removed, reason }: UndoProgress): string[] {
  return [SYMBOL[state], kind, state, oneLine(reason ?? removed.join(', '))];
}

function table(head: readonly string[], rows: readonly string[][]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Table cells end at a line break or a bar; Azure's messages hold both. */
function oneLine(text: string): string {
  return text
    .replaceAll(/\s*\n\s*/g, ' ')
    .replaceAll('|', '\\|')
    .slice(0, 300);
}
