// The picture in docs/: bars of what a caller waits for, and of how many calls are answered.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { root } from '../../scripts/commands.mjs';
import { typical } from './judgement.mjs';

const FILE = 'docs/images/bench-scoring.svg';
const PANELS = [
  { title: '1 client: p50 (bar) and p95 (line), ms', clients: 1, metric: 'p50', mark: 'p95', digits: 1 },
  { title: '4 clients: calls a second', clients: 4, metric: 'throughput', digits: 0 },
  { title: '16 clients: calls a second', clients: 16, metric: 'throughput', digits: 0 },
];
const SIZE = { names: 120, bars: 240, row: 22, head: 34, gap: 24 };
const COLOURS = { slipway: '#1f6feb', limit: '#8b949e', peer: '#d0a85c' };

/** @param {readonly import('./rounds.mjs').Round[]} rounds @returns {Promise<string>} the file, relative to the clone */
export async function writePicture(rounds) {
  const sides = Object.keys(rounds[0]).filter((side) => side !== 'echo');
  const width = SIZE.names + PANELS.length * (SIZE.bars + SIZE.gap);
  const height = SIZE.head + sides.length * SIZE.row + 10;
  const names = sides.map((side, row) => text(SIZE.names - 8, baseline(row), side, 'end'));
  const panels = PANELS.map((panel, column) =>
    bars(panel, sides, rounds, SIZE.names + column * (SIZE.bars + SIZE.gap)),
  );
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    '<title>The scoring server and its peers</title>',
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...names,
    ...panels.flat(),
    '</svg>\n',
  ].join('\n');
  await writeFile(path.join(root, FILE), svg);
  return FILE;
}

/** @returns {string[]} elements of one panel */
function bars({ title, clients, metric, mark, digits }, sides, rounds, left) {
  const values = sides.map((side) => typical(rounds, side, clients, metric));
  const marks = mark === undefined ? [] : sides.map((side) => typical(rounds, side, clients, mark));
  // Room for the number behind the longest bar.
  const scale = (SIZE.bars - 44) / Math.max(...values, ...marks);
  const rows = sides.flatMap((side, row) => {
    const top = SIZE.head + row * SIZE.row;
    const bar = `<rect x="${left}" y="${top}" width="${round(values[row] * scale)}" height="${SIZE.row - 6}" fill="${COLOURS[side] ?? COLOURS.peer}"/>`;
    const end = marks[row] ?? values[row];
    const line = `<path d="M${left} ${top + SIZE.row / 2 - 3}H${round(left + end * scale)}" stroke="#24292f"/>`;
    const label = [values[row], ...marks.slice(row, row + 1)].map((value) => value.toFixed(digits)).join(' / ');
    return [bar, ...(mark === undefined ? [] : [line]), text(left + end * scale + 4, baseline(row), label)];
  });
  return [text(left, 18, title, 'start', ' font-weight="bold"'), ...rows];
}

const baseline = (row) => SIZE.head + row * SIZE.row + 12;
const round = (value) => Number(value.toFixed(1));

function text(x, y, content, anchor = 'start', more = '') {
  return `<text x="${round(x)}" y="${y}" text-anchor="${anchor}" fill="#24292f"${more}>${content}</text>`;
}
