// `npm run bench:scoring`: the scoring server against what no server can beat, and against LitServe, BentoML and KServe with the
// same model, in one run.
//   node bench/scoring.mjs [--rounds 3] [--slices 3] [--seconds 1.5] [--only slipway,…] [--svg] [--json] [--check]
//   node bench/scoring.mjs --soak [MINUTES] [--json] [--check]
// Needs Linux (/proc), and the first time a package index: each peer gets a Python environment of its own.
import { stat } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { runAsScript, say } from '../scripts/commands.mjs';
import { report } from './figures.mjs';
import { judge, table } from './scoring/judgement.mjs';
import { writePicture } from './scoring/picture.mjs';
import { prepareModel, prepareOurs } from './scoring/preparation.mjs';
import { CLIENTS, measureRound } from './scoring/rounds.mjs';
import { OTHERS } from './scoring/sides.mjs';
import { soak } from './scoring/soak.mjs';

const OPTIONS = /** @type {const} */ ({
  rounds: { type: 'string', default: '3' },
  slices: { type: 'string', default: '3' },
  seconds: { type: 'string', default: '1.5' },
  only: { type: 'string', default: '' },
  svg: { type: 'boolean', default: false },
  soak: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  check: { type: 'boolean', default: false },
});

/** Minutes of load where nobody says how many. */
const SOAK_MINUTES = '30';

/** @param {readonly string[]} args @returns {Promise<number>} exit code */
async function bench(args) {
  const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  await prepareOurs();
  const model = await prepareModel();
  if (values.soak) return report(await soak(model, Number(positionals[0] ?? SOAK_MINUTES)), args);

  const only = values.only.split(',').filter((name) => name !== '');
  const plan = { slices: Number(values.slices), seconds: Number(values.seconds) };
  warnOfLoad();
  const rounds = [];
  for (let round = 1; round <= Number(values.rounds); round++) {
    say(`• round ${round} of ${values.rounds}`);
    rounds.push(await measureRound(model, plan, only));
  }
  process.stdout.write(`${table(rounds, CLIENTS)}\n\n`);
  const missing = OTHERS.filter(({ python }) => python)
    .flatMap(({ sides }) => sides.map(({ name }) => name))
    .filter((name) => !(name in rounds[0]));
  const figures = judge(rounds, await modelBytes(model), missing);
  if (values.svg) say(`picture: ${await writePicture(rounds)}`);
  return report(figures, args);
}

/** Where others take the CPUs, the scheduler decides: what computes without a pause is held back more than what waits for calls. */
function warnOfLoad() {
  const [load] = loadavg();
  if (load <= cpus().length / 2) return;
  say(
    `! the machine is busy (load ${load.toFixed(1)}, ${cpus().length} CPUs): the figures will not say what the servers can do`,
  );
}

/** @param {string} model */
async function modelBytes(model) {
  const files = ['model.onnx', 'preprocess.onnx'].map((file) => stat(path.join(model, file)));
  return (await Promise.all(files)).reduce((sum, { size }) => sum + size, 0);
}

await runAsScript(import.meta, bench);
