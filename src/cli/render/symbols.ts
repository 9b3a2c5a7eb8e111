import type { StepProgress, UndoProgress } from '../../deployment/progress.js';

/** What a colour function does to a text. */
export type Paint = (text: string) => string;
/** The part of picocolors that is used; `createColors(false)` gives one that paints nothing. */
export type Colors = Readonly<Record<'green' | 'red' | 'yellow' | 'cyan' | 'dim' | 'bold', Paint>>;

type RowState = StepProgress['state'] | UndoProgress['state'];

/** A state's sign, and the colour it is painted in. */
const SIGNS: Record<RowState, readonly [sign: string, colour: keyof Colors]> = {
  pending: ['·', 'dim'],
  running: ['◌', 'cyan'],
  done: ['✓', 'green'],
  failed: ['✗', 'red'],
  cancelled: ['⊘', 'yellow'],
  skipped: ['–', 'dim'],
  removed: ['✓', 'green'],
  residue: ['✗', 'red'],
  kept: ['•', 'yellow'],
};

/** The painted sign of a state. */
export function signOf(state: RowState, colors: Colors): string {
  const [sign, colour] = SIGNS[state];
  return colors[colour](sign);
}

/** A time span for people: `0.4 s`, `12 s`, `3 min 05 s`, `1 h 02 min`. */
export function elapsed(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${String(whole % 60).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** A message on one line: Azure's and logs' have several. */
export function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ').trim();
}

/** Cuts a line to `width` characters. */
export function clip(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}
