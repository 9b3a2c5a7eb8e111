import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream, existsSync, readFileSync } from 'node:fs';
import { chmod, lchown, link, lstat, mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join, posix } from 'node:path';
import { PassThrough, Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import { imageLimits } from '../limits.js';
import { resolveInRoot } from './root-path.js';

/** A layer on disk. Its files are shared by all pods and must not be written to. */
export interface UnpackedLayer {
  /** Directory that holds what the layer adds. */
  tree: string;
  /** What it removes from the layers below, relative paths. */
  whiteouts: Whiteouts;
}

/** Single paths that a layer removes, and directories whose content from below it hides. */
export interface Whiteouts {
  removed: string[];
  opaque: string[];
}

const isRoot = process.getuid?.() === 0;

/** Unpacked layers by the digest of their blob, shareable between emulators. */
export class LayerCache {
  private readonly unpacking = new Map<string, Promise<UnpackedLayer>>();

  constructor(private readonly directory: string) {}

  has(digest: string): boolean {
    return existsSync(this.path(digest));
  }

  /** The layer of that digest; `open` gets the blob where it is not there yet. Its content is checked against the digest. */
  get(digest: string, open: () => Promise<Readable>): Promise<UnpackedLayer> {
    let layer = this.unpacking.get(digest);
    if (layer === undefined) {
      layer = this.load(digest, open).finally(() => this.unpacking.delete(digest));
      this.unpacking.set(digest, layer);
    }
    return layer;
  }

  private path(digest: string): string {
    return join(this.directory, digest.replace('sha256:', ''));
  }

  private async load(digest: string, open: () => Promise<Readable>): Promise<UnpackedLayer> {
    const path = this.path(digest);
    if (!existsSync(path)) await this.unpack(digest, path, await open());
    const whiteouts = JSON.parse(readFileSync(join(path, 'whiteouts.json'), 'utf8')) as Whiteouts;
    return { tree: join(path, 'tree'), whiteouts };
  }

  private async unpack(digest: string, path: string, blob: Readable): Promise<void> {
    const partial = `${path}.${randomUUID()}.partial`;
    const tree = join(partial, 'tree');
    await mkdir(tree, { recursive: true });
    try {
      const whiteouts = await unpackVerified(digest, blob, tree);
      await writeFile(join(partial, 'whiteouts.json'), JSON.stringify(whiteouts));
      // Another emulator on the same cache may have been faster; what it unpacked is the same.
      await rename(partial, path).catch((error: unknown) => {
        if (!existsSync(path)) throw error;
      });
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  }
}

/** Unpacks a blob while its digest is computed; fails where they do not agree, before anybody sees the result. */
async function unpackVerified(digest: string, blob: Readable, tree: string): Promise<Whiteouts> {
  const hash = createHash('sha256');
  const hashing = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const whiteouts: Whiteouts = { removed: [], opaque: [] };
  const tar = extract();
  const entries = unpackEntries(tar, tree, whiteouts);
  await Promise.all([pipeline(blob, hashing, await decompressor(blob), tar), entries]);
  const actual = `sha256:${hash.digest('hex')}`;
  if (actual !== digest) throw new Error(`failed to verify layer ${digest}: its content has the digest ${actual}`);
  return whiteouts;
}

/** Gunzip where the blob begins with gzip's magic bytes. */
async function decompressor(blob: Readable): Promise<NodeJS.ReadWriteStream> {
  await new Promise<void>((resolve, reject) => {
    blob.once('readable', resolve);
    blob.once('error', reject);
    blob.once('end', resolve);
  });
  const head = blob.read(2) as Buffer | null;
  if (head !== null) blob.unshift(head);
  return head?.[0] === 0x1f && head[1] === 0x8b ? createGunzip() : new PassThrough();
}

async function unpackEntries(tar: ReturnType<typeof extract>, tree: string, whiteouts: Whiteouts): Promise<void> {
  let count = 0;
  for await (const entry of tar) {
    count += 1;
    if (count > imageLimits.layerEntries)
      throw new Error(`the layer has more than ${imageLimits.layerEntries} entries`);
    const path = entryPath(entry.header.name);
    const name = basename(path);
    if (name === '.wh..wh..opq') whiteouts.opaque.push(posix.dirname(path));
    else if (name.startsWith('.wh.'))
      whiteouts.removed.push(posix.join(posix.dirname(path), name.slice('.wh.'.length)));
    else if (path !== '.') await unpackEntry(entry, entry.header, tree, path);
    entry.resume();
  }
}

function entryPath(name: string): string {
  const path = posix.normalize(name).replace(/^\/+/, '').replace(/\/$/, '');
  if (path === '..' || path.startsWith('../')) throw new Error(`the layer has an entry outside of the image: ${name}`);
  return path === '' ? '.' : path;
}

async function unpackEntry(content: AsyncIterable<unknown>, header: Header, tree: string, path: string): Promise<void> {
  const target = resolveInRoot(tree, path, false);
  await mkdir(dirname(target), { recursive: true });
  switch (header.type) {
    case 'directory':
      // What is said of a directory must not be done to what a link of the same name points to.
      if (!(await isDirectory(target))) await rm(target, { force: true });
      await mkdir(target, { recursive: true });
      break;
    case 'symlink':
      await rm(target, { recursive: true, force: true });
      await symlink(header.linkname, target);
      break;
    case 'link':
      await rm(target, { recursive: true, force: true });
      await link(resolveInRoot(tree, entryPath(header.linkname), false), target);
      return;
    case 'file':
    case 'contiguous-file':
      await rm(target, { recursive: true, force: true });
      await pipeline(Readable.from(content), createWriteStream(target, { flags: 'wx' }));
      break;
    default:
      // Device nodes and pipes: a container gets its devices from the kubelet.
      return;
  }
  await setAttributes(target, header);
}

async function isDirectory(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isDirectory() ?? false;
}

async function setAttributes(target: string, { type, mode, uid, gid, mtime }: Header): Promise<void> {
  if (isRoot) await lchown(target, uid, gid);
  if (type === 'symlink') return;
  // After chown, which takes set-user-id bits away.
  await chmod(target, mode & 0o7777);
  if (type !== 'directory') await utimes(target, mtime, mtime);
}
