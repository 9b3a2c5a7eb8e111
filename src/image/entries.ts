import { lstat, readdir, readlink } from 'node:fs/promises';
import path from 'node:path';

import { ImageAssemblyError } from './errors.js';

/**
 * One member of a layer. `path` is relative to the image's root, with forward slashes and no leading one. `mode` holds
 * permission bits; without it a file is 0644 and a directory 0755, so that the umask of whoever builds leaves no trace.
 */
export type LayerEntry =
  | { type: 'directory'; path: string; mode?: number }
  | { type: 'symlink'; path: string; target: string }
  | { type: 'file'; path: string; mode?: number; source: string }
  | { type: 'file'; path: string; mode?: number; content: string | Uint8Array };

const EXECUTABLE = 0o755;
const EXECUTE_BITS = 0o111;

/**
 * Every file, directory and symbolic link below `directory`, placed under `prefix` in the image.
 *
 * @throws {ImageAssemblyError} `UnsupportedFileType` for a socket, pipe or device
 */
export async function directoryEntries(directory: string, prefix: string): Promise<LayerEntry[]> {
  const entries: LayerEntry[] = [{ type: 'directory', path: prefix }];
  for (const name of await readdir(directory)) {
    const source = path.join(directory, name);
    const target = path.posix.join(prefix, name);
    const stats = await lstat(source);
    if (stats.isDirectory()) entries.push(...(await directoryEntries(source, target)));
    else if (stats.isSymbolicLink()) entries.push({ type: 'symlink', path: target, target: await readlink(source) });
    else if (stats.isFile()) entries.push(fileEntry(source, target, stats.mode));
    else throw new ImageAssemblyError('UnsupportedFileType', `${source} is neither a file, a directory nor a link`);
  }
  return entries;
}

function fileEntry(source: string, target: string, mode: number): LayerEntry {
  const entry = { type: 'file', path: target, source } as const;
  return (mode & EXECUTE_BITS) === 0 ? entry : { ...entry, mode: EXECUTABLE };
}

/**
 * The order and completeness that a layer needs: sorted by path, every parent directory present and before its children.
 *
 * @throws {ImageAssemblyError} `InvalidEntry` for a path that is absolute, empty or leaves the root; `DuplicateEntry`
 *   when two different entries claim one path
 */
export function canonicalEntries(entries: readonly LayerEntry[]): LayerEntry[] {
  const byPath = new Map<string, LayerEntry>();
  for (const entry of entries) {
    const canonical = { ...entry, path: canonicalPath(entry.path) };
    const present = byPath.get(canonical.path);
    if (present && !(present.type === 'directory' && canonical.type === 'directory')) {
      throw new ImageAssemblyError('DuplicateEntry', `two entries of one layer are called ${canonical.path}`);
    }
    byPath.set(canonical.path, canonical);
  }
  for (const entry of [...byPath.values()]) addParents(byPath, entry.path);
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function canonicalPath(raw: string): string {
  const normal = path.posix.normalize(raw).replace(/\/$/, '');
  if (raw === '' || normal === '.' || normal.startsWith('/') || normal.split('/').includes('..')) {
    throw new ImageAssemblyError('InvalidEntry', `'${raw}' is not a path below the image's root`);
  }
  return normal;
}

function addParents(byPath: Map<string, LayerEntry>, child: string): void {
  for (let parent = path.posix.dirname(child); parent !== '.'; parent = path.posix.dirname(parent)) {
    const present = byPath.get(parent);
    if (present && present.type !== 'directory') {
      throw new ImageAssemblyError('InvalidEntry', `${child} lies below ${parent}, which is not a directory`);
    }
    if (!present) byPath.set(parent, { type: 'directory', path: parent });
  }
}
