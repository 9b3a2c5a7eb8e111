import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import tar from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LayerCache, type UnpackedLayer } from '../../src/emulator/kubernetes/kubelet/layer-cache.js';
import { buildRoot } from '../../src/emulator/kubernetes/kubelet/root-file-system.js';
import { resolveInRoot } from '../../src/emulator/kubernetes/kubelet/root-path.js';

let directory: string;
let cache: LayerCache;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'slipway-layers-'));
  cache = new LayerCache(join(directory, 'cache'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A file's content, the target of a link (`-> target`), or a directory (undefined), by name. */
type Members = Record<string, string | undefined>;

async function blobOf(members: Members): Promise<Buffer> {
  const pack = tar.pack();
  for (const [name, content] of Object.entries(members)) {
    const target = content?.startsWith('-> ') ? content.slice(3) : undefined;
    if (content === undefined) pack.entry({ name, type: 'directory' });
    else if (target !== undefined) pack.entry({ name, type: 'symlink', linkname: target });
    else pack.entry({ name }, content);
  }
  pack.finalize();
  return gzipSync(await buffer(Readable.from(pack)));
}

const digestOf = (blob: Buffer): string => `sha256:${createHash('sha256').update(blob).digest('hex')}`;

async function layerOf(members: Members): Promise<UnpackedLayer> {
  const blob = await blobOf(members);
  return cache.get(digestOf(blob), () => Promise.resolve(Readable.from([blob])));
}

describe('an unpacked layer', () => {
  it('is not kept when its content has another digest', async () => {
    const blob = await blobOf({ 'a.txt': 'a' });
    const digest = digestOf(Buffer.from('something else'));
    await expect(cache.get(digest, () => Promise.resolve(Readable.from([blob])))).rejects.toThrow('failed to verify');
    expect(cache.has(digest)).toBe(false);
  });

  it('is refused when a member lies outside of it', async () => {
    await expect(layerOf({ '../outside.txt': 'x' })).rejects.toThrow('outside of the image');
    expect(existsSync(join(directory, 'outside.txt'))).toBe(false);
  });

  it('follows links inside of itself only', async () => {
    const outside = join(directory, 'outside');
    const { tree } = await layerOf({
      escape: `-> ${outside}`,
      'escape/file.txt': 'x',
      up: '-> ../../..',
      'up/b.txt': 'y',
    });
    expect(existsSync(outside)).toBe(false);
    expect(readFileSync(join(tree, outside, 'file.txt'), 'utf8')).toBe('x');
    expect(readFileSync(join(tree, 'b.txt'), 'utf8')).toBe('y');
  });
});

it('a directory in place of a link of the same layer changes nothing that the link points to', async () => {
  const outside = join(directory, 'outside');
  mkdirSync(outside, { mode: 0o700 });
  const pack = tar.pack();
  pack.entry({ name: 'escape', type: 'symlink', linkname: outside });
  pack.entry({ name: 'escape', type: 'directory', mode: 0o777 });
  pack.entry({ name: 'escape/file.txt' }, 'x');
  pack.finalize();
  const blob = await buffer(Readable.from(pack));
  const { tree } = await cache.get(digestOf(blob), () => Promise.resolve(Readable.from([blob])));
  expect(lstatSync(outside).mode & 0o777).toBe(0o700);
  expect(readdirSync(outside)).toEqual([]);
  expect(lstatSync(join(tree, 'escape')).isDirectory()).toBe(true);
});

describe('a root of several layers', () => {
  it('shows the upper ones, and not what they remove', async () => {
    const root = join(directory, 'root');
    const layers = [
      await layerOf({
        'app/old.txt': 'old',
        'app/both.txt': 'lower',
        'opaque/hidden.txt': 'x',
        'usr/lib/a.so': 'a',
        lib: '-> usr/lib',
      }),
      await layerOf({
        'app/.wh.old.txt': '',
        'app/both.txt': 'upper',
        'opaque/.wh..wh..opq': '',
        'opaque/new.txt': 'n',
        'lib/b.so': 'b',
      }),
    ];
    await buildRoot(root, layers, false);
    expect(existsSync(join(root, 'app/old.txt'))).toBe(false);
    expect(readFileSync(join(root, 'app/both.txt'), 'utf8')).toBe('upper');
    expect(existsSync(join(root, 'opaque/hidden.txt'))).toBe(false);
    expect(existsSync(join(root, 'opaque/new.txt'))).toBe(true);
    expect(lstatSync(join(root, 'lib')).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(root, 'usr/lib/b.so'), 'utf8')).toBe('b');
  });

  it.each([
    ['shares files where it may', true, 2],
    ['copies them where it may not', false, 1],
  ])('%s', async (_what, shared, links) => {
    const root = join(directory, 'root');
    await buildRoot(root, [await layerOf({ 'a.txt': 'a' })], shared);
    expect(lstatSync(join(root, 'a.txt')).nlink).toBe(links);
  });
});

describe('a path in a root', () => {
  it.each([
    ['/etc/passwd', 'etc/passwd'],
    ['../../etc', 'etc'],
    ['a/../../b', 'b'],
  ])('%s means %s below it', (path, below) => {
    expect(resolveInRoot(directory, path)).toBe(join(directory, below));
  });
});
