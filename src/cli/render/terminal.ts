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

/** The terminal of this process. `NO_COLOR`, `FORCE_COLOR` and `CI` are respected. */
export function terminal(environment: NodeJS.ProcessEnv = process.env): Terminal {
  const stream = process.stderr;
  const interactive = stream.isTTY && !environment['CI'] && environment['TERM'] !== 'dumb';
  // An empty NO_COLOR is no wish: https://no-color.org
  const colored = environment['FORCE_COLOR'] ? true : interactive && !environment['NO_COLOR'];
  return { stream, interactive, colors: pc.createColors(colored), say: (line) => void stream.write(`${line}\n`) };
}

/** Prints data. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
