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
    throw await readError(file, what, 'file', cause);
  }
}

/**
 * Finds every file of a directory that a person named, and of those in it.
 *
 * @param what it should be, for the message: `the calibration photos`
 * @returns the files' paths
 * @throws SlipwayError `FileNotFound`, with one of nearly that name beside it; `FileNotReadable` for a file, or without the
 *   right to read it
 */
export async function findNamedFiles(directory: string, what: string): Promise<string[]> {
  try {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name));
  } catch (cause) {
    throw await readError(directory, what, 'directory', cause);
  }
}

async function readError(
  file: string,
  what: string,
  kind: 'file' | 'directory',
  cause: unknown,
): Promise<SlipwayError> {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'EISDIR') {
    return new SlipwayError('FileNotReadable', `${file} is a directory; ${what} is one file`, {
      fix: 'Name the file itself.',
    });
  }
  if (code === 'ENOTDIR' && kind === 'directory') {
    return new SlipwayError('FileNotReadable', `${file} is no directory; ${what} are in one`, {
      fix: 'Name the directory.',
    });
  }
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    const near = closest(path.basename(file), await filesBeside(file));
    return new SlipwayError('FileNotFound', `There is no ${kind} ${file} (${what})`, {
      fix: near === undefined ? 'Correct its path.' : `Did you mean ${path.join(path.dirname(file), near)}?`,
    });
  }
  const why = cause instanceof Error ? cause.message : String(cause);
  return new SlipwayError('FileNotReadable', `${file} (${what}) cannot be read: ${why}`, { cause });
}

async function filesBeside(file: string): Promise<string[]> {
  return readdir(path.dirname(file)).catch(() => []);
}
