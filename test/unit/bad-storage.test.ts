import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toFailure } from '../../src/activities/failure.js';
import { exitCodeOf } from '../../src/cli/exit-code-of.js';
import { storageFailure } from '../../src/cli/local/storage-failure.js';
import { cachedLayer } from '../../src/image/layer-cache.js';

/** What a call that is to fail has thrown. */
const thrownBy = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => expect.fail('it did not fail'),
    (error: unknown) => error,
  );

/** An error as the system gives it, for what no test can cause everywhere. */
const systemError = (code: string, syscall: string, place?: string): Error =>
  Object.assign(new Error(`${code}: as the system says it, ${syscall}`), {
    code,
    syscall,
    ...(place && { path: place }),
  });

/** A device that takes nothing: Linux has one. */
const FULL = '/dev/full';

let directory: string;
let file: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'slipway-storage-'));
  file = path.join(directory, 'file');
  await writeFile(file, '');
});
afterAll(() => rm(directory, { recursive: true }));

describe('local state that cannot be written', () => {
  it.each([
    [
      'below a file',
      () => thrownBy(mkdir(path.join(file, 'home'), { recursive: true })),
      'StateNotWritable',
      /file\/home cannot be written: a part of its path is a file \(ENOTDIR\)/,
    ],
    [
      'where a file is',
      () => thrownBy(mkdir(file)),
      'StateNotWritable',
      /file cannot be written: a file is in its place \(EEXIST\)/,
    ],
    [
      'on a read-only file system',
      () => systemError('EROFS', 'mkdir', '/x'),
      'StateNotWritable',
      /\/x cannot be written: its file system is read-only/,
    ],
    [
      'without the right to',
      () => systemError('EACCES', 'open', '/x'),
      'StateNotWritable',
      /\/x cannot be written: you may not write there/,
    ],
    ['beyond a quota', () => systemError('EDQUOT', 'write'), 'NoSpaceLeft', /your quota on its device is used up/],
  ])('%s is told with what to do', async (_where, cause, code, message) => {
    const failure = storageFailure(await cause());
    expect(failure).toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
      fix: expect.stringContaining('SLIPWAY_HOME') as string,
    });
    expect(exitCodeOf(failure)).toBe(3);
  });

  it.skipIf(!existsSync(FULL))('on a full device is told with what to do', async () => {
    expect(storageFailure(await thrownBy(writeFile(FULL, 'x')))).toMatchObject({
      code: 'NoSpaceLeft',
      message: expect.stringContaining('no space left on its device (ENOSPC)') as string,
      fix: expect.stringContaining('Make room') as string,
    });
  });

  it.each([
    ['a program that may not be run', systemError('EACCES', 'spawn x', '/x')],
    ['a file that is not there', systemError('ENOENT', 'open', '/x')],
    ['a fault of ours', new TypeError('x is not a function')],
  ])('is not what %s is told as', (_what, error) => {
    expect(storageFailure(error)).toBeUndefined();
  });
});

describe('a worker that cannot write', () => {
  it('a layer waits until someone gives it a place', async () => {
    const entries = [{ type: 'file' as const, path: 'a', mode: 0o644, content: Buffer.from('a') }];
    const failure = toFailure(await thrownBy(cachedLayer(entries, path.join(file, 'layers'))), { number: 1 });
    expect(failure).toMatchObject({
      type: 'ENOTDIR',
      message: expect.stringMatching(/^waiting: .*SLIPWAY_HOME/) as string,
    });
    expect(failure).not.toMatchObject({ nonRetryable: true });
  });

  it.skipIf(!existsSync(FULL))('because its disk is full waits until someone makes room', async () => {
    const failure = toFailure(await thrownBy(writeFile(FULL, 'x')), { number: 1 });
    expect(failure).toMatchObject({
      type: 'ENOSPC',
      message: expect.stringMatching(/^waiting: the disk of the worker is full/) as string,
      details: [{ code: 'ENOSPC', fix: expect.stringContaining('Make room') as string }],
    });
    expect(failure).not.toMatchObject({ nonRetryable: true });
  });
});
