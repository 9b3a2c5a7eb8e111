import pc from 'picocolors';
import type { Colors } from './symbols.js';

/** Where progress goes: stderr, because stdout is for data. */
export interface Terminal {
  readonly stream: NodeJS.WriteStream;
  /** Whether lines can be redrawn in place. */
  readonly interactive: boolean;
  readonly colors: Colors;
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
): Terminal {
  const { NO_COLOR, FORCE_COLOR, CI, TERM } = environment;
  const interactive = stream.isTTY && !isOn(CI) && TERM !== 'dumb';
  // An empty NO_COLOR is no wish: https://no-color.org
  const colored = !NO_COLOR && (FORCE_COLOR ? isOn(FORCE_COLOR) : interactive);
  return { stream, interactive, colors: pc.createColors(colored), say: (line) => void stream.write(`${line}\n`) };
}

function isOn(variable: string | undefined): boolean {
  return variable !== undefined && !['', '0', 'false'].includes(variable);
}

/** Prints data. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
