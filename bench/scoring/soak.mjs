// Load for a long time: what a server keeps of each call would show as memory that grows.
import { fileURLToPath } from 'node:url';
import { say } from '../../scripts/commands.mjs';
import { Helper } from './processes.mjs';
import { startOurs } from './rounds.mjs';
import { median } from './statistics.mjs';

const CLIENTS = 4;
/** Seconds of one slice of load, which has connections of its own; the memory is read after each. */
const SLICE = 5;
/** Lines of progress in all, however long it takes. */
const LINES = 30;
const MEGABYTE = 1e6;

/**
 * @param {string} model directory @param {number} minutes
 * @returns {Promise<import('../figures.mjs').Figure[]>} how much larger the memory is in the last quarter than in the second
 */
export async function soak(model, minutes) {
  const started = await startOurs(model);
  const helper = new Helper(fileURLToPath(new URL('load.mjs', import.meta.url)), [model]);
  const samples = [];
  let calls = 0;
  try {
    const request = { transport: 'predict', port: started.ports.port, clients: CLIENTS, seconds: SLICE };
    const count = Math.max(4, Math.round((minutes * 60) / SLICE));
    for (let slice = 0; slice < count; slice++) {
      const load = await helper.run({ task: 'load', request });
      calls += load.milliseconds.length;
      samples.push(await started.server.memory());
      if (slice % Math.ceil(count / LINES) === 0) {
        const megabytes = (samples.at(-1) / MEGABYTE).toFixed(0);
        say(`  ${((slice * SLICE) / 60).toFixed(1)} min: ${megabytes} MB, ${calls} calls`);
      }
    }
  } finally {
    helper.stop();
    await started.server.stop();
  }
  const quarter = (index) => samples.slice((index * samples.length) / 4, ((index + 1) * samples.length) / 4);
  // Not the first one: caches fill, and the allocator takes what it will keep.
  const [early, late] = [quarter(1), quarter(3)].map(median);
  return [
    {
      name: 'scoring.soak_rss_growth',
      value: late / early,
      compare: '<=',
      limit: 1.05,
      unit: 'ratio',
      note: `${minutes} min, ${calls} calls, ${(early / MEGABYTE).toFixed(0)} to ${(late / MEGABYTE).toFixed(0)} MB`,
    },
  ];
}
