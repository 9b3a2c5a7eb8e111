import pc from 'picocolors';
import type { Colors } from './symbols.js';

/** Where progress goes: stderr, because stdout is for data. */
export interface Terminal {
  readonly stream: NodeJS.WriteStream;
  /** Whether lines can be redrawn in place. */
  readonly interactive: boolean;
  readonly colors: Colors;
  /** For what {@link print} prints: stdout may be a file while stderr is a terminal. */
  readonly dataColors: Colors;
  /** Prints one line of progress. */
  readonly say: (line: string) => void;
}

/**
 * The terminal of this process. Lines are redrawn, and coloured, only where a person sees them: not in CI and not on a dumb
 * terminal. `NO_COLOR` wins over `FORCE_COLOR`.
 */
export function terminal(
  environment: NodeJS.ProcessEnv = process.env,
  stream: NodeJS.WriteStream = process.stderr,
  data: NodeJS.WriteStream = process.stdout,
): Terminal {
  return {
    stream,
    interactive: isSeen(stream, environment),
    colors: colorsOf(stream, environment),
    dataColors: colorsOf(data, environment),
    say: (line) => void stream.write(`${line}\n`),
  };
}

function isSeen(stream: NodeJS.WriteStream, { CI, TERM }: NodeJS.ProcessEnv): boolean {
  return stream.isTTY && !isOn(CI) && TERM !== 'dumb';
}

function colorsOf(stream: NodeJS.WriteStream, environment: NodeJS.ProcessEnv): Colors {
  const { NO_COLOR, FORCE_COLOR } = environment;
  // An empty NO_COLOR is no wish: https://no-color.org
  return pc.createColors(!NO_COLOR && (FORCE_COLOR ? isOn(FORCE_COLOR) : isSeen(stream, environment)));
}

function isOn(variable: string | undefined): boolean {
  return variable !== undefined && !['', '0', 'false'].includes(variable);
}

/** Prints data. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
