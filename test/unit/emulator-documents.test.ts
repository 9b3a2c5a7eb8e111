import { appendFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Documents } from '../../src/emulator/core/documents.js';
import { Journal } from '../../src/emulator/core/journal.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'slipway-documents-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** The collection as a process that starts now finds it. */
const opened = () => new Documents(directory).collection<number>('numbers');
const log = () => path.join(directory, 'numbers.jsonl');

describe('a collection of documents', () => {
  it('is what was put, less what was deleted, when it is opened again', () => {
    const numbers = opened();
    numbers.put('b', 1);
    numbers.put('a', 2);
    numbers.put('b', 3);
    numbers.put('c', 4);
    expect(numbers.delete('c')).toBe(true);
    expect(numbers.delete('c')).toBe(false);
    expect(opened().entries()).toEqual([
      ['a', 2],
      ['b', 3],
    ]);
    expect(opened().list('b')).toEqual([3]);
  });

  it('loses only the document that a killed process was writing, and goes on from there', async () => {
    opened().put('whole', 1);
    await appendFile(log(), '{"id":"half","val');
    const numbers = opened();
    expect(numbers.entries()).toEqual([['whole', 1]]);
    numbers.put('next', 2);
    expect(opened().entries()).toEqual([
      ['next', 2],
      ['whole', 1],
    ]);
  });

  it('does not grow by being changed', async () => {
    const numbers = opened();
    for (let value = 0; value < 5_000; value += 1) numbers.put(`${value % 3}`, value);
    expect((await readFile(log(), 'utf8')).split('\n').length).toBeLessThan(1_100);
    expect(opened().list()).toEqual([4_998, 4_999, 4_997]);
  });

  it('leaves nothing on disk when it is cleared', async () => {
    const numbers = opened();
    numbers.put('a', 1);
    numbers.clear();
    expect(await readdir(directory)).toEqual([]);
    numbers.put('b', 2);
    expect(opened().entries()).toEqual([['b', 2]]);
  });
});

describe('the journal', () => {
  const call = { time: 't', service: 's', method: 'GET', path: '/', status: 200, requestId: 'r' };
  const journal = () => new Journal(path.join(directory, 'journal.jsonl'));

  it('goes on with the next number, without the entry that a killed process was writing', async () => {
    const before = journal();
    for (const path of ['/1', '/2', '/3']) before.record({ ...call, path });
    await appendFile(path.join(directory, 'journal.jsonl'), '{"seq":4,"ti');
    const after = journal();
    expect(after.record({ ...call, path: '/4' }).seq).toBe(4);
    expect(after.since(2).map(({ seq, path }) => [seq, path])).toEqual([
      [3, '/3'],
      [4, '/4'],
    ]);
    expect(journal().since(0)).toHaveLength(4);
  });
});
