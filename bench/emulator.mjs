// `npm run bench:emulator`: how soon the local Azure is ready, how much memory a full one takes, how fast it answers, and how soon it
// is back after kill -9.
//   node bench/emulator.mjs [--clusters 1000] [--jobs 5000] [--json] [--check]
// Needs Linux (/proc) and a Python 3 for the jobs.
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from '../scripts/build.mjs';
import { home, runAsScript, say } from '../scripts/commands.mjs';
import { EmulatorProcess } from './emulator/emulator-process.mjs';
import { makeClusters, makeJobs } from './emulator/records.mjs';
import { figure, report } from './figures.mjs';
import { median } from './scoring/statistics.mjs';

const OPTIONS = /** @type {const} */ ({
  clusters: { type: 'string', default: '1000' },
  jobs: { type: 'string', default: '5000' },
  json: { type: 'boolean', default: false },
  check: { type: 'boolean', default: false },
});

/** Starts of each kind; the median counts. */
const STARTS = 3;
const LOAD = { connections: 16, warmup: 2, seconds: 8 };

const scratch = path.join(home, 'bench', 'emulator');
const loadProgram = fileURLToPath(new URL('emulator/load.mjs', import.meta.url));

/** @param {readonly string[]} args @returns {Promise<number>} exit code */
async function bench(args) {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  await build();
  await mkdir(scratch, { recursive: true });
  const directory = await mkdtemp(path.join(scratch, 'run-'));
  try {
    const ready = await medianStart(() => mkdtemp(path.join(directory, 'empty-')), 'SIGTERM');
    const state = path.join(directory, 'full');
    const full = await measureFull(state, Number(values.clusters), Number(values.jobs));
    const recovery = await medianStart(async () => state, 'SIGKILL');
    const records = `${values.clusters} clusters, ${values.jobs} jobs`;
    return report(
      [
        figure('emulator.ready_seconds', ready, '<=', 2, 's', 'empty state, blobs included'),
        figure('emulator.rss_mb', full.megabytes, '<=', 400, 'MB', `${records}, Azurite included`),
        figure('emulator.get_rps', full.callsPerSecond, '>=', 2000, 'calls/s', `${LOAD.connections} connections`),
        figure('emulator.recovery_seconds', recovery, '<=', 3, 's', `after kill -9, ${records}`),
      ],
      args,
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * Seconds until it is healthy.
 *
 * @param {() => Promise<string>} stateOf directory of the next start
 * @param {NodeJS.Signals} between what ends each start but the last
 * @returns {Promise<number>}
 */
async function medianStart(stateOf, between) {
  const seconds = [];
  for (let start = 0; start < STARTS; start += 1) {
    const azure = await EmulatorProcess.start(await stateOf());
    seconds.push(azure.readySeconds);
    // A killed one leaves its Azurite to the next on that state, so that the last is told to stop.
    await azure.end(start < STARTS - 1 ? between : 'SIGTERM');
  }
  say(`  ready after ${seconds.map((value) => value.toFixed(2)).join(', ')} s`);
  return median(seconds);
}

/** Makes the records, reads them, and kills the process. */
async function measureFull(state, clusters, jobs) {
  const azure = await EmulatorProcess.start(state);
  try {
    say(`  making ${clusters} clusters and ${jobs} jobs`);
    const paths = [...(await makeClusters(azure, clusters)), ...(await makeJobs(azure, jobs))];
    const megabytes = await azure.residentMegabytes();
    const callsPerSecond = await load(azure, paths);
    return { megabytes: Math.max(megabytes, await azure.residentMegabytes()), callsPerSecond };
  } finally {
    await azure.end('SIGKILL');
  }
}

/** @param {EmulatorProcess} azure @param {readonly string[]} paths @returns {Promise<number>} calls a second */
async function load({ endpoints: { arm, ca }, token }, paths) {
  const child = spawn(process.execPath, [loadProgram], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify({ arm, ca, token, paths, ...LOAD }));
  const answer = await text(child.stdout);
  if (answer === '') throw new Error('the load broke off');
  return JSON.parse(answer);
}

await runAsScript(import.meta, bench);
