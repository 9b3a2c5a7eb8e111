import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { cachedLayer, hostBase, nativeModules, runtimeEntries } from '../../src/image/index.js';
import { parseLdd } from '../../src/image/shared-libraries.js';

const run = promisify(execFile);
const require = createRequire(import.meta.url);

const server = `
import { createRequire } from 'node:module';
import fs from 'node:fs';
const require = createRequire('/app/server.mjs');
const ort = require('onnxruntime-node');
const jpeg = require('@julusian/jpeg-turbo');
fs.writeFileSync('/tmp/written', 'x');
console.log(JSON.stringify({
  version: process.version, root: fs.readdirSync('/').sort(), decode: typeof jpeg.decompressSync,
  session: typeof ort.InferenceSession.create,
}));
`;

/** The packages that the scoring runtime loads, cut to what this machine runs. */
async function scoringRuntime(directory: string): Promise<string> {
  const packages = path.resolve(path.dirname(require.resolve('onnxruntime-common')), '../../..');
  const here = `linux-${process.arch}`;
  const binaries = /\/bin\/napi-v\d+\/(\w+)(?:\/(\w+))?|\/prebuilds\/jpeg-turbo-([\w-]+)/;
  const wanted = (file: string): boolean => {
    const [, system, architecture = process.arch, prebuilt] = binaries.exec(file) ?? [];
    return (system === undefined || `${system}-${architecture}` === here) && (prebuilt ?? here) === here;
  };
  for (const name of ['onnxruntime-node', 'onnxruntime-common', '@julusian/jpeg-turbo', 'pkg-prebuilds']) {
    await cp(path.join(packages, name), path.join(directory, 'node_modules', name), {
      recursive: true,
      filter: (source) => wanted(source.slice(packages.length)),
    });
  }
  await writeFile(path.join(directory, 'server.mjs'), server);
  return directory;
}

/** Runs a command with `root` as its file system; where this process is not root, in a user namespace of its own. */
async function runInside(root: string, command: string[]): Promise<string> {
  const [program, options] =
    process.getuid?.() === 0
      ? ['chroot', ['--userspec=1000:1000']]
      : ['unshare', ['--user', '--map-root-user', '--root']];
  const { stdout } = await run(program, [...options, root, ...command], {
    env: { PATH: process.env['PATH'] },
    timeout: 20_000,
  });
  return stdout;
}

describe('hostBase', () => {
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'slipway-host-base-'));
  });

  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  it('makes an image that runs Node and its native modules with nothing of this machine around it', async () => {
    const runtime = await scoringRuntime(path.join(directory, 'runtime'));
    const cache = path.join(directory, 'layers');
    const base = await cachedLayer(await hostBase({ nativeModules: await nativeModules(runtime) }), cache);
    const app = await cachedLayer(await runtimeEntries(runtime), cache);
    const root = path.join(directory, 'root');
    await mkdir(root);
    for (const layer of [base, app]) await run('tar', ['-xpzf', layer.file, '-C', root]);

    expect(JSON.parse(await runInside(root, ['/usr/local/bin/node', '/app/server.mjs']))).toEqual({
      version: process.version,
      root: ['app', 'etc', 'lib', 'lib64', 'tmp', 'usr'],
      decode: 'function',
      session: 'function',
    });
  });

  it('leaves out what lies beside a native module, which the runtime layer brings', async () => {
    const modules = await nativeModules(path.join(directory, 'runtime'));
    const names = (await hostBase({ nativeModules: modules })).map((entry) => path.basename(entry.path));
    expect(names).toContain('libstdc++.so.6');
    expect(names).not.toContain('libonnxruntime.so.1');
    expect(names).not.toContain('libturbojpeg.so.0');
  });

  it('is the same for the same machine', async () => {
    expect(await hostBase()).toEqual(await hostBase());
  });

  it('says which command is missing where there is no ldd', async () => {
    const before = process.env['PATH'];
    process.env['PATH'] = directory;
    try {
      await expect(hostBase()).rejects.toMatchObject({ code: 'LddMissing' });
    } finally {
      process.env['PATH'] = before;
    }
  });

  it('says that a runtime has not been built', async () => {
    await expect(runtimeEntries(path.join(directory, 'absent'))).rejects.toMatchObject({ code: 'RuntimeMissing' });
  });
});

describe('parseLdd', () => {
  it('reads the output of glibc', () => {
    const output = [
      '\tlinux-vdso.so.1 (0x00007f376edda000)',
      '\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f376ece4000)',
      '\t/lib64/ld-linux-x86-64.so.2 (0x00007f376eddc000)',
    ].join('\n');
    expect(parseLdd('node', output)).toEqual({
      libraries: new Map([['libm.so.6', '/lib/x86_64-linux-gnu/libm.so.6']]),
      loader: '/lib64/ld-linux-x86-64.so.2',
    });
  });

  it('reads the output of musl', () => {
    const output = [
      '\t/lib/ld-musl-x86_64.so.1 (0x7f8d1c2a5000)',
      '\tlibstdc++.so.6 => /usr/lib/libstdc++.so.6 (0x7f8d16e00000)',
      '\tlibc.musl-x86_64.so.1 => /lib/ld-musl-x86_64.so.1 (0x7f8d1c2a5000)',
    ].join('\n');
    expect(parseLdd('node', output)).toEqual({
      libraries: new Map([['libstdc++.so.6', '/usr/lib/libstdc++.so.6']]),
      loader: '/lib/ld-musl-x86_64.so.1',
    });
  });

  it('names a library that is not found', () => {
    const missing = '\tlibfoo.so.1 => not found\n';
    expect(() => parseLdd('node', missing)).toThrowError(/needs libfoo\.so\.1/);
  });
});
