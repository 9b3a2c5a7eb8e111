/** @param {readonly number[]} values @returns {number} */
export const median = (values) => percentile(values, 0.5);

/**
 * @param {readonly number[]} values at least one
 * @param {number} share from 0 to 1
 * @returns {number} the smallest value that so large a share of all does not exceed
 */
export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}

/**
 * What some time of load was like.
 *
 * @typedef {{ milliseconds: number[], seconds: number, cpu: number }} Load latency of every call, how long the load
 *   lasted, and the milliseconds of CPU that the server took
 * @typedef {{ p50: number, p95: number, p99: number, throughput: number, cpu: number }} Summary milliseconds, calls a
 *   second, and milliseconds of CPU a call
 * @param {readonly Load[]} loads @returns {Summary}
 */
export function summarize(loads) {
  const milliseconds = loads.flatMap((load) => load.milliseconds);
  const seconds = loads.reduce((sum, load) => sum + load.seconds, 0);
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => percentile(milliseconds, share));
  const cpu = loads.reduce((sum, load) => sum + load.cpu, 0) / milliseconds.length;
  return { p50, p95, p99, throughput: milliseconds.length / seconds, cpu };
}
