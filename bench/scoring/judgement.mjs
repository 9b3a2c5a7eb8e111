// The figures that are asked for, from the rounds. A figure is the median over the rounds of the ratio within each round, so that
// a round in which the machine was slower counts like any other.
import { figure as makeFigure } from '../figures.mjs';
import { median } from './statistics.mjs';

const MEGABYTE = 1e6;
const COLUMNS = ['p50', 'p95', 'p99', 'throughput', 'cpu'];
const NOT_PEERS = ['limit', 'slipway', 'echo'];

/**
 * @typedef {import('./rounds.mjs').Round} Round
 * @typedef {'p50' | 'p95' | 'p99' | 'throughput' | 'cpu'} Metric
 */

/** @param {readonly Round[]} rounds @param {string} side @param {number} clients @param {Metric} metric @returns {number} */
export const typical = (rounds, side, clients, metric) =>
  median(rounds.map((round) => round[side].loads[clients][metric]));

/**
 * @param {readonly Round[]} rounds @param {number} modelBytes @param {readonly string[]} missing peers that could not be measured
 * @returns {import('../figures.mjs').Figure[]}
 */
export function judge(rounds, modelBytes, missing) {
  const sides = Object.keys(rounds[0]);
  const peers = sides.filter((side) => !NOT_PEERS.includes(side));
  const at = (round, side, clients, metric) => round[side].loads[clients][metric];
  const overLimit = (clients, metric) =>
    median(rounds.map((round) => at(round, 'slipway', clients, metric) / at(round, 'limit', clients, metric)));

  /** The best of all peers by its median; a figure is worth nothing while a peer is missing. */
  const againstPeer = (clients, metric, compare) => {
    if (missing.length > 0 || peers.length === 0) return { value: NaN, note: `not measured: ${missing.join(', ')}` };
    const better = metric === 'throughput' ? -1 : 1;
    const order = (side) => better * typical(rounds, side, clients, metric);
    const best = [...peers].sort((one, other) => order(one) - order(other))[0];
    const value = median(
      rounds.map((round) =>
        compare(
          at(round, 'slipway', clients, metric),
          at(round, best, clients, metric),
          at(round, 'limit', clients, metric),
        ),
      ),
    );
    return { value, note: best };
  };
  const ratio = (ours, peer) => ours / peer;
  const overhead = (ours, peer, limit) => (ours - limit) / (peer - limit);

  const bytes = median(rounds.map((round) => round.slipway.bytes));
  return [
    figure('p50_over_limit', { value: overLimit(1, 'p50') }, '<=', 1.15),
    figure('p95_over_limit', { value: overLimit(1, 'p95') }, '<=', 1.35),
    figure('p50_overhead_over_peer', againstPeer(1, 'p50', overhead), '<=', 0.4),
    figure('p95_over_peer', againstPeer(1, 'p95', ratio), '<=', 0.85),
    figure('throughput_4_over_peer', againstPeer(4, 'throughput', ratio), '>=', 1.15),
    figure('throughput_16_over_peer', againstPeer(16, 'throughput', ratio), '>=', 1.15),
    figure('throughput_over_limit', { value: overLimit(4, 'throughput') }, '>=', 0.88),
    figure('ready_seconds', { value: median(rounds.map((round) => round.slipway.readySeconds)) }, '<=', 1.5, 's'),
    figure('rss_over_model', { value: (bytes - 2 * modelBytes) / MEGABYTE }, '<=', 200, 'MB'),
  ];
}

/** @returns {import('../figures.mjs').Figure} */
function figure(name, { value, note }, compare, limit, unit = 'ratio') {
  return makeFigure(`scoring.${name}`, value, compare, limit, unit, note);
}

/** @param {readonly Round[]} rounds @param {readonly number[]} clients @returns {string} a line for each side: medians of the rounds */
export function table(rounds, clients) {
  const cells = clients.flatMap((count) => [`p50 at ${count}`, 'p95', 'p99', 'calls/s', 'CPU ms']);
  const head = ['side', ...cells, 'RSS, MB'];
  const rows = Object.keys(rounds[0]).map((side) => {
    const values = clients.flatMap((count) => COLUMNS.map((metric) => typical(rounds, side, count, metric).toFixed(1)));
    const bytes = median(rounds.map((round) => round[side].bytes)) / MEGABYTE;
    return [side, ...values, Number.isNaN(bytes) ? '–' : bytes.toFixed(0)];
  });
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column].length)));
  const line = (row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join('  ');
  return [head, ...rows].map(line).join('\n');
}
