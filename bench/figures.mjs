// The form in which every benchmark says what it measured: a table for people, and with `--json` one object as the last line.
// It exits 0 when it could measure, whatever the figures; with `--check`, 1 when one is not what it should be.
import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import { root } from '../scripts/commands.mjs';

/** @typedef {{ name: string, value: number, compare: '<=' | '>=', limit: number, unit: string, note?: string }} Figure */

const GIGABYTE = 1e9;

/**
 * @param {string} name @param {number} value @param {'<=' | '>='} compare @param {number} limit what it must be
 * @param {string} unit @param {string} [note] @returns {Figure}
 */
export function figure(name, value, compare, limit, unit, note) {
  return { name, value, compare, limit, unit, ...(note === undefined ? {} : { note }) };
}

/**
 * Prints the figures.
 *
 * @param {readonly Figure[]} figures
 * @param {readonly string[]} args of the command line: `--json`, `--check`
 * @returns {number} the exit code
 */
export function report(figures, args) {
  const judged = figures.map((figure) => ({ ...figure, ok: isOk(figure) }));
  const width = Math.max(...judged.map(({ name }) => name.length));
  for (const { name, value, compare, limit, unit, note, ok } of judged) {
    const measured = value.toFixed(2).padStart(8);
    const comment = note === undefined ? '' : `  (${note})`;
    process.stdout.write(
      `${ok ? '✓' : '✗'} ${name.padEnd(width)} ${measured} ${unit}, ${compare} ${limit}${comment}\n`,
    );
  }
  if (args.includes('--json')) {
    const { model } = cpus()[0] ?? { model: 'unknown' };
    const machine = {
      cpu: model,
      cpus: cpus().length,
      memoryGb: Math.round(totalmem() / GIGABYTE),
      node: process.version,
    };
    process.stdout.write(`${JSON.stringify({ figures: judged, machine, commit: commit() })}\n`);
  }
  return args.includes('--check') && judged.some(({ ok }) => !ok) ? 1 : 0;
}

/** @param {Figure} figure */
function isOk({ value, compare, limit }) {
  return compare === '<=' ? value <= limit : value >= limit;
}

/** @returns {string | null} null outside of a clone */
function commit() {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return null;
  }
}
