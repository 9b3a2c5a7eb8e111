import { createHash } from 'node:crypto';

/** `sha256:` and 64 lower-case hexadecimal digits. */
export type Digest = `sha256:${string}`;

/** Digest of bytes or of a UTF-8 string. */
export function digestOf(content: string | Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

/** Digest of a JSON value in canonical form: keys sorted at every depth, no white space. `undefined` members are left out. */
export function digestOfJson(value: unknown): Digest {
  return digestOf(canonicalJson(value));
}

/** JSON with sorted keys, so that equal values have equal text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value ?? null);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}

/**
 * Digest of a directory's content: over `<path>\0<file digest>\n` of every file, sorted by path. Equal trees have equal
 * digests wherever they lie.
 *
 * @param files relative POSIX path → digest of the file's bytes
 */
export function digestOfTree(files: ReadonlyMap<string, Digest>): Digest {
  const lines = [...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, digest]) => `${path}\0${digest}\n`);
  return digestOf(lines.join(''));
}
