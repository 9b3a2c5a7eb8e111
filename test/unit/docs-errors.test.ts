import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { FAILURE_RULES } from '../../src/azure/failure-rules.js';
import { FailureType } from '../../src/deployment/errors.js';

const root = path.resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
const filesOf = (directory: string, extension: string): string[] =>
  readdirSync(path.join(root, directory), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(extension))
    .map((file) => path.join(directory, file));

/** How our sources name a code: thrown, told in a detail, or said by the conversion. */
const CODE = /(?:\w+Error\(|\bcode:|\bsuper\()\s*['"]([A-Z][a-z]+[A-Za-z]*)['"]/g;

/** The local Azure's codes are Azure's, and the demo's faults borrow some. */
const NOT_OURS = /^src\/emulator\/|^src\/cli\/demo\/faults\.ts$|^conversion\/tests\//;

function codesInSources(): string[] {
  const sources = [...filesOf('src', '.ts'), ...filesOf('conversion', '.py')].filter((file) => !NOT_OURS.test(file));
  const thrown = sources.flatMap((file) => [...read(file).matchAll(CODE)].map(([, code = '']) => code));
  const azures = new Set(FAILURE_RULES.map(({ code }) => code));
  return [...new Set([...thrown, ...Object.values(FailureType)])].filter((code) => !azures.has(code));
}

const page = read('docs/errors.md');
const [ours = '', azures = ''] = page.split('## Codes of Azure');
const rows = ours.split('\n').filter((line) => line.startsWith('| `'));

describe('docs/errors.md', () => {
  it('has a row for every code that Slipway gives, and no other', () => {
    const documented = rows.flatMap((row) =>
      [...(row.split(' | ')[0] ?? '').matchAll(/`(\w+)`/g)].map(([, code]) => code),
    );
    expect(documented.sort()).toEqual(codesInSources().sort());
  });

  it.each(rows)('says cause and fix: %s', (row) => {
    const cells = row.split(' | ');
    expect(cells).toHaveLength(3);
    for (const cell of cells) expect(cell.replace(/ \|$/, '').trim()).not.toBe('');
  });

  it('has the table of rules by which the codes of Azure are treated', () => {
    const treated = { retry: 'waits', retrySlowly: 'waits for someone', fatal: 'ends' };
    const rules = FAILURE_RULES.map(({ code, message, class: kind, reason, fix }) => {
      const narrowed = message === undefined ? '' : ` (${message.source})`;
      return `| \`${code}\`${narrowed} | ${treated[kind]} | ${reason}${fix === undefined ? '' : `. ${fix}`} |`;
    });
    expect(azures.split('\n').filter((line) => line.startsWith('| `'))).toEqual(rules);
  });
});
