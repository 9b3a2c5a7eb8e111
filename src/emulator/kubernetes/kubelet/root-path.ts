import { lstatSync, readlinkSync } from 'node:fs';
import { join, posix } from 'node:path';

/** Symbolic links followed before a path counts as a loop: the kernel's own limit. */
const mostLinks = 40;

/**
 * The place on this machine that a path inside a root means. Symbolic links are followed as if the root were `/`, so the result
 * never lies outside. Parts that do not exist are taken as they are.
 * @param followLast whether a link at the very end is followed
 */
export function resolveInRoot(root: string, path: string, followLast = true): string {
  const waiting = posix.normalize(`/${path}`).split('/').filter(Boolean);
  let resolved: string[] = [];
  let links = 0;
  for (let part = waiting.shift(); part !== undefined; part = waiting.shift()) {
    if (part === '.') continue;
    if (part === '..') {
      resolved.pop();
      continue;
    }
    const candidate = join(root, ...resolved, part);
    const isLast = waiting.length === 0;
    if ((isLast && !followLast) || !isLink(candidate)) {
      resolved.push(part);
      continue;
    }
    links += 1;
    if (links > mostLinks) throw new Error(`too many symbolic links in ${path}`);
    const target = readlinkSync(candidate);
    if (target.startsWith('/')) resolved = [];
    waiting.unshift(...target.split('/').filter(Boolean));
  }
  return join(root, ...resolved);
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}
