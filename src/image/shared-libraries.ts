import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

import { ImageAssemblyError } from './errors.js';
import { lddTimeoutMs } from './limits.js';

const run = promisify(execFile);

/** What the dynamic loader maps for a program: other libraries by the name they are asked for, and the loader itself. */
export interface LinkedLibraries {
  /** Library name, such as `libm.so.6`, to the file that the loader finds for it. */
  readonly libraries: ReadonlyMap<string, string>;
  /** Absolute path of the dynamic loader, as the program names it. */
  readonly loader?: string;
}

/**
 * The closure of shared libraries of an executable or a native module, as `ldd` finds it.
 *
 * @throws {ImageAssemblyError} `LddMissing`, or `LibraryNotFound` when a library cannot be found on this machine
 */
export async function linkedLibraries(file: string): Promise<LinkedLibraries> {
  return parseLdd(file, await runLdd(file));
}

async function runLdd(file: string): Promise<string> {
  try {
    const { stdout } = await run('ldd', [file], { timeout: lddTimeoutMs, env: { ...process.env, LC_ALL: 'C' } });
    return stdout;
  } catch (error) {
    if (isMissingCommand(error)) {
      throw new ImageAssemblyError('LddMissing', 'the host base needs the command ldd, which is not on PATH', {
        fix: 'Install the package that has ldd (libc-bin on Debian), or name a base image.',
        cause: error,
      });
    }
    if (/not a (valid )?dynamic (executable|program)/i.test(outputOf(error))) return '';
    throw new ImageAssemblyError('LibraryNotFound', `ldd ${file} failed: ${outputOf(error).trim()}`, { cause: error });
  }
}

/** Reads the output of `ldd` of glibc or musl. */
export function parseLdd(file: string, output: string): LinkedLibraries {
  const libraries = new Map<string, string>();
  let loader: string | undefined;
  for (const line of output.split('\n')) {
    const missing = /^\s*(\S+) => not found/.exec(line);
    if (missing) {
      throw new ImageAssemblyError('LibraryNotFound', `${file} needs ${missing[1]}, which this machine does not have`);
    }
    const [, name, resolved] = /^\s*(\S+) => (\/\S*) \(0x/.exec(line) ?? [];
    if (name && resolved) {
      // musl names its loader both as the loader and as the C library.
      if (path.basename(resolved).startsWith('ld-')) loader ??= resolved;
      else libraries.set(path.basename(name), resolved);
      continue;
    }
    const [, direct] = /^\s*(\/\S+) \(0x/.exec(line) ?? [];
    if (direct && path.basename(direct).startsWith('ld-')) loader = direct;
    else if (direct) libraries.set(path.basename(direct), direct);
  }
  return loader === undefined ? { libraries } : { libraries, loader };
}

function isMissingCommand(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function outputOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { stderr = '', stdout = '' } = error as { stderr?: string; stdout?: string };
  return stderr + stdout || error.message;
}
