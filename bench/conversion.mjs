// `npm run bench:conversion`: memory and time of the conversion job against stock tf2onnx, and what int8 gains, all in one run.
//   node bench/conversion.mjs [MODEL…] [--json] [--check]
// Needs Linux (/proc), 16 GB of free memory for the stock converter, and up to half an hour for all models.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { home, root, runAsScript, say } from '../scripts/commands.mjs';
import { conversionPython, ensureConversion } from '../scripts/python-environment.mjs';
import { figure, report } from './figures.mjs';

/**
 * What is asked of each model: peak memory in GB, time as a share of stock's, and how many times as fast int8 is.
 *
 * @type {Readonly<Record<string, { weights?: string, outputs?: string[], peak: number, time: number, speedup?: number }>>}
 */
const MODELS = {
  'efficientnet-lite0': { weights: 'imagenet', peak: 2, time: 0.5, speedup: 1.7 },
  resnet50: { peak: 1.8, time: 0.35, speedup: 2.4 },
  resnet152: { peak: 3.5, time: 0.35 },
  vgg16: { peak: 4, time: 0.5 },
  densenet121: { peak: 2, time: 0.5 },
  'ssd-vgg': { outputs: ['scores', 'boxes'], peak: 3, time: 0.5 },
};

/** Where stock is stopped: seconds, and bytes of memory. The limit then stands in for the measurement. */
const STOCK = { seconds: 300, bytes: 16e9 };
/** Alternating rounds of a model; one where stock takes long enough for noise not to matter. */
const ROUNDS = 3;
const LONG_SECONDS = 60;
/** Where our own job is given up: far over what is asked of it. */
const OURS = { seconds: 900, bytes: 16e9 };
/** Milliseconds between two looks at a process' peak memory, which the kernel keeps: only growth in its last moments is missed. */
const LOOK_INTERVAL = 50;
const GIGABYTE = 1e9;

const environment = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' };
const photos = path.join(root, 'samples', 'photos');
const state = path.join(home, 'bench', 'conversion');

/**
 * @typedef {{ seconds: number, bytes: number }} Limits
 * @typedef {{ seconds: number, bytes: number, stopped?: string, output: string }} Measurement
 */

/** @param {readonly string[]} args @returns {Promise<number>} exit code */
async function bench(args) {
  const names = args.filter((arg) => !arg.startsWith('--'));
  const unknown = names.filter((name) => !(name in MODELS));
  if (unknown.length > 0)
    throw new Error(`no model ${unknown.join(', ')}; there are ${Object.keys(MODELS).join(', ')}`);
  await ensureConversion();
  const scratch = await mkdtemp(path.join((await mkdir(state, { recursive: true })) ?? state, 'run-'));
  try {
    const figures = [];
    for (const name of names.length > 0 ? names : Object.keys(MODELS)) figures.push(...(await measure(name, scratch)));
    return report(figures, args);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/**
 * The largest peak, and the median time.
 *
 * @param {readonly Measurement[]} measurements @returns {Measurement}
 */
function overall(measurements) {
  const seconds = measurements.map((measurement) => measurement.seconds).sort((a, b) => a - b);
  const bytes = Math.max(...measurements.map((measurement) => measurement.bytes));
  return { ...measurements[0], bytes, seconds: seconds[Math.floor(seconds.length / 2)] };
}

/** @param {string} name @param {string} scratch @returns {Promise<import('./figures.mjs').Figure[]>} */
async function measure(name, scratch) {
  const asked = MODELS[name];
  const model = await built(name, asked.weights ?? 'none');
  const outputs = (asked.outputs ?? ['output_alias']).flatMap((output) => ['--output', output]);
  const job = ['-m', 'conversion.job', '--model', model, '--input', 'images', ...outputs, '--max-memory', '16G'];

  const convert = [...job, '--photos', photos, '--out', path.join(scratch, name)];
  const stockConvert = ['-m', 'tf2onnx.convert', '--saved-model', model, '--opset', '18'];
  const rounds = [];
  do {
    const ours = await run(convert, OURS);
    if (ours.stopped !== undefined) throw new Error(`the conversion of ${name}: ${ours.stopped}\n${ours.output}`);
    const stock = await run([...stockConvert, '--output', path.join(scratch, `${name}.onnx`)], STOCK);
    say(`  ${name}: ${describe(ours)}; stock: ${describe(stock)}`);
    rounds.push({ ours, stock });
  } while (rounds.length < ROUNDS && rounds.every(({ stock }) => stock.seconds < LONG_SECONDS));
  const ours = overall(rounds.map((round) => round.ours));
  const stock = overall(rounds.map((round) => round.stock));

  const note = `stock: ${describe(stock)}`;
  // Where stock was stopped at its limit of memory, the limit of time stands in for what it would have taken.
  const time = stock.stopped === undefined ? stock.seconds : Math.max(stock.seconds, STOCK.seconds);
  const figures = [
    figure(`conversion.${name}.peak_gb`, ours.bytes / GIGABYTE, '<=', asked.peak, 'GB', note),
    figure(`conversion.${name}.time_over_stock`, ours.seconds / time, '<=', asked.time, 'ratio', describe(ours)),
  ];
  if (asked.speedup === undefined) return figures;
  const speedup = await int8Speedup(job, scratch, name);
  return [...figures, figure(`int8.${name}.speedup`, speedup, '>=', asked.speedup, 'times', await vnni())];
}

/**
 * How many times as fast int8 is. How well it agrees is the gate's business and not measured here: the weights may be random.
 *
 * @param {readonly string[]} job @param {string} scratch @param {string} name @returns {Promise<number>}
 */
async function int8Speedup(job, scratch, name) {
  const [calibration, check] = ['calibration', 'check'].map((folder) => path.join(scratch, folder));
  await Promise.all([mkdir(calibration, { recursive: true }), mkdir(check, { recursive: true })]);
  const files = (await readdir(photos)).filter((file) => file.endsWith('.jpg')).sort();
  for (const [index, file] of files.entries()) {
    await copyFile(path.join(photos, file), path.join(index === 0 ? check : calibration, file));
  }
  const lax = ['--int8-relative', '1e9', '--int8-top5', '0'];
  const quantize = ['--quantize', 'int8', '--calibration', calibration, ...lax];
  const { output } = await run(
    [...job, ...quantize, '--photos', check, '--out', path.join(scratch, `${name}-int8`)],
    OURS,
  );
  const speedup = /([0-9.]+) times as fast/.exec(output)?.[1];
  if (speedup === undefined) throw new Error(`int8 of ${name} failed:\n${output}`);
  return Number(speedup);
}

/** @returns {Promise<string | undefined>} a note where the figure is not asked for */
async function vnni() {
  return (await readFile('/proc/cpuinfo', 'utf8')).includes('vnni') ? undefined : 'the CPU has no VNNI';
}

/**
 * The SavedModel, built once for all runs.
 *
 * @param {string} name @param {string} weights @returns {Promise<string>} its directory
 */
async function built(name, weights) {
  const directory = path.join(state, 'models', name);
  if (existsSync(directory)) return directory;
  say(`  ${name}: building it`);
  const build = ['-m', 'conversion.build', name, '--weights', weights, '--out', directory];
  const { stopped, output } = await run(build, OURS);
  if (stopped !== undefined) throw new Error(`${name} could not be built: ${stopped}\n${output}`);
  return directory;
}

/**
 * Runs Python and watches it.
 *
 * @param {readonly string[]} args @param {Limits} limits @returns {Promise<Measurement>} `stopped` says why it did not end well
 */
async function run(args, limits) {
  const child = spawn(conversionPython, args, { cwd: root, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => output.push(data));
  /** @type {Promise<number | string>} */
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  let bytes = 0;
  let stopped;
  let end;
  void ended.then((value) => (end = value));
  while (end === undefined) {
    bytes = Math.max(bytes, await peakMemory(child.pid));
    if (bytes > limits.bytes) stopped = `stopped at ${limits.bytes / GIGABYTE} GB`;
    else if (seconds() > limits.seconds) stopped = `stopped after ${limits.seconds} s`;
    if (stopped !== undefined) child.kill('SIGKILL');
    await Promise.race([wait(LOOK_INTERVAL), ended]);
  }
  if (stopped === undefined && end !== 0) stopped = `ended with ${end}`;
  const text = Buffer.concat(output).toString('utf8');
  return { seconds: seconds(), bytes, output: text, ...(stopped === undefined ? {} : { stopped }) };
}

/** @param {number | undefined} pid @returns {Promise<number>} bytes; 0 when it has ended */
async function peakMemory(pid) {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}

/** @param {Measurement} measurement */
function describe({ seconds, bytes, stopped }) {
  return `${(bytes / GIGABYTE).toFixed(2)} GB, ${seconds.toFixed(1)} s${stopped === undefined ? '' : `, ${stopped}`}`;
}

await runAsScript(import.meta, bench);
