import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where all local state lies: `SLIPWAY_HOME`, or `.slipway` of the working directory. */
export function home(...inside: string[]): string {
  return path.resolve(process.env['SLIPWAY_HOME'] ?? '.slipway', ...inside);
}

/** A file of the installed package, for example `samples/config.json`. */
export function packaged(...inside: string[]): string {
  return path.join(fileURLToPath(new URL('../../..', import.meta.url)), ...inside);
}
