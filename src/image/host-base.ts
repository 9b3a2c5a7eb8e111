import { access, realpath } from 'node:fs/promises';
import path from 'node:path';

import type { LayerEntry } from './entries.js';
import { ImageAssemblyError } from './errors.js';
import { linkedLibraries } from './shared-libraries.js';

/** Where the image's Node lies: the first part of an entrypoint. */
export const nodeInImage = '/usr/local/bin/node';

/** The user and group that an image runs as; the host base names them in its `/etc/passwd`. */
export const imageUser = '1000:1000';

const passwd = [
  'root:x:0:0:root:/root:/sbin/nologin',
  'app:x:1000:1000:app:/app:/sbin/nologin',
  'nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin',
  '',
].join('\n');
const group = ['root:x:0:', 'app:x:1000:', 'nogroup:x:65534:', ''].join('\n');
const nameServices = ['passwd: files', 'group: files', 'hosts: files dns', ''].join('\n');

export interface HostBaseOptions {
  /** Absolute paths of `.node` files that the image will load; libraries that lie beside them are not part of the base. */
  readonly nativeModules?: readonly string[];
  /** The Node to take; the running one by default. */
  readonly node?: string;
}

/**
 * A base made of this machine: the running Node, the shared libraries that it and the native modules link to, and the
 * few files that a C library expects. No network is needed, and the image runs wherever the kernel and CPU match.
 *
 * @throws {ImageAssemblyError} `UnsupportedPlatform` where the machine is not Linux; `LddMissing`; `LibraryNotFound`
 */
export async function hostBase(options: HostBaseOptions = {}): Promise<LayerEntry[]> {
  if (process.platform !== 'linux') {
    throw new ImageAssemblyError(
      'UnsupportedPlatform',
      `the host base is made of Linux programs and this machine runs ${process.platform}`,
      { fix: 'Name a base image, or run the worker on Linux.' },
    );
  }
  const node = await realpath(options.node ?? process.execPath);
  return [
    { type: 'file', path: nodeInImage.slice(1), source: node, mode: 0o755 },
    ...(await libraryEntries(node, options.nativeModules ?? [])),
    { type: 'file', path: 'etc/passwd', content: passwd },
    { type: 'file', path: 'etc/group', content: group },
    { type: 'file', path: 'etc/nsswitch.conf', content: nameServices },
    { type: 'directory', path: 'tmp', mode: 0o1777 },
  ];
}

async function libraryEntries(node: string, nativeModules: readonly string[]): Promise<LayerEntry[]> {
  const ofNode = await linkedLibraries(node);
  const libraries = new Map(ofNode.libraries);
  for (const nativeModule of nativeModules) {
    await access(nativeModule);
    const own = path.dirname(nativeModule) + path.sep;
    for (const [name, file] of (await linkedLibraries(nativeModule)).libraries) {
      if (!file.startsWith(own) && !libraries.has(name)) libraries.set(name, file);
    }
  }
  if (libraries.size > 0 && ofNode.loader === undefined) {
    throw new ImageAssemblyError('UnsupportedPlatform', `${node} has no dynamic loader, and native modules need one`);
  }
  const entries: LayerEntry[] = [];
  if (ofNode.loader !== undefined) entries.push(await libraryEntry(ofNode.loader, ofNode.loader));
  for (const [name, file] of libraries) {
    entries.push(await libraryEntry(path.join(systemDirectory(ofNode) ?? path.dirname(file), name), file));
  }
  return entries;
}

/**
 * The directory of the C library. The loader searches it without a cache or RPATH, so libraries that were found here by
 * way of either (`/etc/ld.so.conf`, a Node with libraries of its own) are put there too.
 */
function systemDirectory(ofNode: Awaited<ReturnType<typeof linkedLibraries>>): string | undefined {
  const libc = ofNode.libraries.get('libc.so.6') ?? ofNode.loader;
  return libc === undefined ? undefined : path.dirname(libc);
}

async function libraryEntry(inImage: string, onHost: string): Promise<LayerEntry> {
  return { type: 'file', path: inImage.replace(/^\//, ''), source: await realpath(onHost), mode: 0o755 };
}
