import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parity, parityDocument } from '../../src/emulator/parity/document.js';

const tests = readdirSync(resolve(import.meta.dirname, '..'), { recursive: true, encoding: 'utf8' }).flatMap(
  (file) => /([^/]+)\.test\.ts$/.exec(file)?.[1] ?? [],
);

describe('the parity with Azure', () => {
  it('is told in docs/emulator-parity.md (npm run docs:parity)', async () => {
    await expect(parityDocument()).toMatchFileSnapshot('../../docs/emulator-parity.md');
  });

  const rows = parity.flatMap(({ title, rows }) => rows.map((row) => [`${title}: ${row.operation}`, row] as const));

  it.each(rows)('%s is shown by tests that there are', (_, { here, witnesses = [] }) => {
    if (here === 'real' || here === 'emulated') expect(witnesses).not.toEqual([]);
    expect(tests).toEqual(expect.arrayContaining([...witnesses]));
  });
});
