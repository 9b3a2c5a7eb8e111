import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { SlipwayError } from '../deployment/errors.js';
import { closest } from '../deployment/closest.js';

/**
 * Reads a file that a person named.
 *
 * @param what it should be, for the message: `the deployment file`
 * @throws SlipwayError `FileNotFound`, with a file of nearly that name beside it; `FileNotReadable` for a directory, or without
 *   the right to read it
 */
export async function readNamedFile(file: string, what: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw await fileError(file, what, cause);
  }
}

async function fileError(file: string, what: string, cause: unknown): Promise<SlipwayError> {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'EISDIR') {
    return new SlipwayError('FileNotReadable', `${file} is a directory; ${what} is one file`, {
      fix: 'Name the file itself.',
    });
  }
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    const near = closest(path.basename(file), await filesBeside(file));
    return new SlipwayError('FileNotFound', `There is no file ${file} (${what})`, {
      fix: near === undefined ? 'Correct its path.' : `Did you mean ${path.join(path.dirname(file), near)}?`,
    });
  }
  const why = cause instanceof Error ? cause.message : String(cause);
  return new SlipwayError('FileNotReadable', `${file} (${what}) cannot be read: ${why}`, { cause });
}

async function filesBeside(file: string): Promise<string[]> {
  return readdir(path.dirname(file)).catch(() => []);
}
