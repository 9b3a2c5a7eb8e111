import { chmod, mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createGunzip, gunzipSync } from 'node:zlib';

import tar from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { assembleLayer, cachedLayer, directoryEntries, type LayerEntry } from '../../src/image/index.js';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'slipway-layer-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

const sha256 = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

async function members(file: string): Promise<tar.Header[]> {
  const headers: tar.Header[] = [];
  for await (const member of createReadStream(file).pipe(createGunzip()).pipe(tar.extract())) {
    headers.push(member.header);
    member.resume();
  }
  return headers;
}

async function sampleTree(root: string): Promise<string> {
  await mkdir(path.join(root, 'sub'), { recursive: true });
  await writeFile(path.join(root, 'run.sh'), '#!/bin/sh\n');
  await chmod(path.join(root, 'run.sh'), 0o700);
  await writeFile(path.join(root, 'sub', 'data.bin'), Buffer.alloc(100_000, 7));
  await symlink('sub/data.bin', path.join(root, 'link'));
  return root;
}

describe('assembleLayer', () => {
  it('says the digests and size of what it wrote', async () => {
    const layer = await assembleLayer([{ type: 'file', path: 'a.txt', content: 'a' }], path.join(directory, 'out'));
    const blob = await readFile(layer.file);
    expect(layer).toMatchObject({ digest: sha256(blob), size: blob.length, diffId: sha256(gunzipSync(blob)) });
  });

  it('gives the same bytes for the same content, whatever its order, dates and permissions of the owner', async () => {
    const one = await directoryEntries(await sampleTree(path.join(directory, 'one')), 'app');
    const root = await sampleTree(path.join(directory, 'two'));
    await utimes(path.join(root, 'run.sh'), 1, 1);
    await chmod(path.join(root, 'sub', 'data.bin'), 0o600);
    const two = (await directoryEntries(root, 'app')).reverse();
    const first = await assembleLayer(one, path.join(directory, 'first'));
    const second = await assembleLayer(two, path.join(directory, 'second'));
    expect({ ...second, file: '' }).toEqual({ ...first, file: '' });
  });

  it('holds files, links and directories of root, dated 1970, parents first', async () => {
    const entries = await directoryEntries(await sampleTree(path.join(directory, 'tree')), 'opt/app');
    const layer = await assembleLayer(entries, path.join(directory, 'out'));
    const found = (await members(layer.file)).map(({ name, type, mode, uid, gid, mtime, linkname }) => ({
      name,
      type,
      mode: mode.toString(8),
      owner: [uid, gid, mtime.getTime()],
      linkname,
    }));
    const owner = [0, 0, 0];
    expect(found).toEqual([
      { name: 'opt/', type: 'directory', mode: '755', owner, linkname: null },
      { name: 'opt/app/', type: 'directory', mode: '755', owner, linkname: null },
      { name: 'opt/app/link', type: 'symlink', mode: '777', owner, linkname: 'sub/data.bin' },
      { name: 'opt/app/run.sh', type: 'file', mode: '755', owner, linkname: null },
      { name: 'opt/app/sub/', type: 'directory', mode: '755', owner, linkname: null },
      { name: 'opt/app/sub/data.bin', type: 'file', mode: '644', owner, linkname: null },
    ]);
  });

  const refused: [string, string, LayerEntry[]][] = [
    ['an absolute path', 'InvalidEntry', [{ type: 'directory', path: '/etc' }]],
    ['a path out of the root', 'InvalidEntry', [{ type: 'directory', path: 'a/../../etc' }]],
    ['an empty path', 'InvalidEntry', [{ type: 'directory', path: '' }]],
    [
      'a file below a file',
      'InvalidEntry',
      [
        { type: 'file', path: 'a', content: '' },
        { type: 'file', path: 'a/b', content: '' },
      ],
    ],
    [
      'one path twice',
      'DuplicateEntry',
      [
        { type: 'file', path: 'a', content: '1' },
        { type: 'file', path: './a', content: '2' },
      ],
    ],
  ];
  it.each(refused)('refuses %s', async (_what, code, entries) => {
    await expect(assembleLayer(entries, path.join(directory, 'out'))).rejects.toMatchObject({ code });
  });

  it.each([
    ['a source is missing', 'absent', 'out'],
    ['the output cannot be written', '.', 'absent/out'],
  ])('fails, and does not hang, when %s', async (_when, source, out) => {
    await writeFile(path.join(directory, 'present'), 'x');
    const file = source === '.' ? 'present' : source;
    const entries: LayerEntry[] = [{ type: 'file', path: 'a', source: path.join(directory, file) }];
    await expect(assembleLayer(entries, path.join(directory, out))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('cachedLayer', () => {
  const entry = (source: string): LayerEntry[] => [{ type: 'file', path: 'model.onnx', source }];

  it('assembles content once, and anew when it changes under the same size and date', async () => {
    const source = path.join(directory, 'model.onnx');
    const cache = path.join(directory, 'cache');
    await writeFile(source, 'aaaa');
    await utimes(source, 1, 1);
    const first = await cachedLayer(entry(source), cache);
    await writeFile(first.file, Buffer.alloc(first.size)); // whoever reads it again does not assemble it again
    expect(await cachedLayer(entry(source), cache)).toEqual(first);
    expect((await readFile(first.file))[0]).toBe(0);

    await writeFile(source, 'bbbb');
    await utimes(source, 1, 1);
    expect((await cachedLayer(entry(source), cache)).diffId).not.toBe(first.diffId);
  });

  it('replaces what a killed builder left behind', async () => {
    const source = path.join(directory, 'model.onnx');
    const cache = path.join(directory, 'cache');
    await writeFile(source, 'aaaa');
    const first = await cachedLayer(entry(source), cache);
    await writeFile(first.file, 'cut');
    const again = await cachedLayer(entry(source), cache);
    expect(again).toEqual(first);
    expect(sha256(await readFile(again.file))).toBe(first.digest);
  });

  it('serves builders at the same time', async () => {
    const source = path.join(directory, 'model.onnx');
    await writeFile(source, Buffer.alloc(3_000_000, 'abc'));
    const layers = await Promise.all(Array.from({ length: 4 }, () => cachedLayer(entry(source), directory)));
    for (const layer of layers) expect(layer).toEqual(layers[0]);
    expect(sha256(await readFile(layers[0]!.file))).toBe(layers[0]!.digest);
  });
});
