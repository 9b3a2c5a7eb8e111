import { constants, type Stats } from 'node:fs';
import {
  chmod,
  copyFile,
  lchown,
  link,
  lstat,
  mkdir,
  readdir,
  readlink,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import type { UnpackedLayer } from './layer-cache.js';
import { resolveInRoot } from './root-path.js';

const isRoot = process.getuid?.() === 0;

/**
 * Makes a container's root directory from the layers of its image, lowest first.
 * @param shared whether files may be hard links into the cache: only for containers that cannot write to them
 */
export async function buildRoot(root: string, layers: readonly UnpackedLayer[], shared: boolean): Promise<void> {
  await rm(root, { recursive: true, force: true });
  await mkdir(root, { recursive: true });
  for (const { tree, whiteouts } of layers) {
    for (const path of whiteouts.opaque) await clear(resolveInRoot(root, path));
    for (const path of whiteouts.removed) {
      await rm(resolveInRoot(root, path, false), { recursive: true, force: true });
    }
    await addDirectory(root, tree, '.', shared);
  }
}

async function clear(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
}

async function addDirectory(root: string, tree: string, path: string, shared: boolean): Promise<void> {
  for (const name of await readdir(join(tree, path))) {
    const inTree = join(tree, path, name);
    const inImage = posix.join(path, name);
    const stats = await lstat(inTree);
    if (stats.isDirectory()) {
      // A directory over a link to one goes into that: /lib is a link to /usr/lib in many images.
      const target = resolveInRoot(root, inImage);
      await removeUnlessDirectory(target);
      await mkdir(target, { recursive: true });
      await copyAttributes(target, stats);
      await addDirectory(root, tree, inImage, shared);
      continue;
    }
    const target = resolveInRoot(root, inImage, false);
    await rm(target, { recursive: true, force: true });
    if (stats.isSymbolicLink()) await symlink(await readlink(inTree), target);
    else await addFile(inTree, target, stats, shared);
  }
}

async function removeUnlessDirectory(path: string): Promise<void> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats !== undefined && !stats.isDirectory()) await rm(path);
}

async function addFile(source: string, target: string, stats: Stats, shared: boolean): Promise<void> {
  if (shared && (await tryLink(source, target))) return;
  await copyFile(source, target, constants.COPYFILE_FICLONE);
  await copyAttributes(target, stats);
}

/** Whether a hard link could be made: not across file systems. */
async function tryLink(source: string, target: string): Promise<boolean> {
  try {
    await link(source, target);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EXDEV') return false;
    throw error;
  }
}

async function copyAttributes(target: string, { mode, uid, gid }: Stats): Promise<void> {
  if (isRoot) await lchown(target, uid, gid);
  await chmod(target, mode & 0o7777);
}

/** Writes a file that the kubelet provides into a root, in place of the image's own. */
export async function provideFile(root: string, path: string, content: string): Promise<void> {
  const target = resolveInRoot(root, path);
  await mkdir(dirname(target), { recursive: true });
  // The file may be a link into the cache, so it is replaced and not written to.
  await rm(target, { force: true });
  await writeFile(target, content);
}
