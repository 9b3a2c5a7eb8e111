import { SlipwayError } from '../../deployment/errors.js';

/** The system's errors of a device that takes nothing more. */
const FULL: Readonly<Record<string, string>> = {
  ENOSPC: 'there is no space left on its device',
  EDQUOT: 'your quota on its device is used up',
};

/** The system's errors of a place that cannot be written. */
const CLOSED: Readonly<Record<string, string>> = {
  EROFS: 'its file system is read-only',
  EACCES: 'you may not write there',
  EPERM: 'you may not write there',
  ENOTDIR: 'a part of its path is a file',
  EEXIST: 'a file is in its place',
};

/**
 * What the system says of local state that cannot be written, as `NoSpaceLeft` or `StateNotWritable`.
 *
 * @returns undefined for anything else
 */
export function storageFailure(error: unknown): SlipwayError | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  const { path = undefined, syscall = undefined } = error as NodeJS.ErrnoException;
  const place = path ?? 'Local state';
  const full = FULL[error.code];
  if (full !== undefined) {
    return new SlipwayError('NoSpaceLeft', `${place} cannot be written: ${full} (${error.code})`, {
      fix: 'Make room, or set SLIPWAY_HOME to a directory on another device.',
    });
  }
  const closed = CLOSED[error.code];
  // A program that may not be run is no place that cannot be written.
  if (closed === undefined || path === undefined || syscall?.startsWith('spawn')) return undefined;
  return new SlipwayError('StateNotWritable', `${place} cannot be written: ${closed} (${error.code})`, {
    fix: 'Set SLIPWAY_HOME to a directory that can be written.',
  });
}
