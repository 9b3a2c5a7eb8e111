// What the benchmark needs before it can measure: our server's bundle, the converted model, and the peers' environments.
import { cpus } from 'node:os';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { build } from '../../scripts/build.mjs';
import { during, home, root, run, say } from '../../scripts/commands.mjs';
import {
  conversionPython,
  ensureConversion,
  ensureTools,
  makeEnvironment,
  once,
} from '../../scripts/python-environment.mjs';

export const state = path.join(home, 'bench', 'scoring');
const pythons = path.join(state, 'python');

/** @returns {Promise<string>} directory of the converted efficientnet-lite0 */
export async function prepareModel() {
  const model = path.join(state, 'model');
  await mkdir(state, { recursive: true });
  await ensureConversion();
  await once(`${model}.converted`, await conversionSources(), () => convertInto(model));
  return model;
}

/** @returns {Promise<string>} all of what converts: another one may give another model */
async function conversionSources() {
  const conversion = path.join(root, 'conversion');
  const files = (await readdir(conversion, { recursive: true })).filter((file) => file.endsWith('.py')).sort();
  const contents = await Promise.all(files.map((file) => readFile(path.join(conversion, file), 'utf8')));
  return contents.join('\n');
}

/** @param {string} model */
async function convertInto(model) {
  const source = path.join(state, 'efficientnet-lite0');
  const unfinished = path.join(state, 'unfinished');
  await rm(unfinished, { recursive: true, force: true });
  await during('efficientnet-lite0: building and converting it', async () => {
    const weights = ['--weights', 'imagenet'];
    await run(conversionPython, ['-m', 'conversion.build', 'efficientnet-lite0', ...weights, '--out', source], QUIET);
    const names = ['--input', 'images', '--output', 'output_alias'];
    const photos = ['--photos', path.join(root, 'samples', 'photos')];
    const limits = ['--max-memory', '8G'];
    const job = ['-m', 'conversion.job', '--model', source, ...names, ...photos, ...limits, '--out', unfinished];
    await run(conversionPython, job, QUIET);
  });
  await rm(source, { recursive: true, force: true });
  await rm(model, { recursive: true, force: true });
  await rename(unfinished, model);
}

const QUIET = { quiet: true };

/** Brings our server's bundle up to date. */
export const prepareOurs = () => build();

/**
 * Installs a peer, with all that it needs, at the versions that its requirements file pins.
 *
 * @param {string} peer @returns {Promise<string | undefined>} directory of its programs; undefined, and said, when it cannot be
 */
export async function preparePeer(peer) {
  const requirements = path.join(root, 'bench/scoring/peers', `${peer}.txt`);
  const environment = path.join(pythons, peer);
  try {
    await ensureTools();
    await mkdir(pythons, { recursive: true });
    await once(`${environment}.installed`, await readFile(requirements, 'utf8'), () =>
      during(`Python environment of ${peer}`, () =>
        // Compiled: KServe gives up workers that import for more than 5 s.
        makeEnvironment(environment, ['--compile-bytecode', '--requirements', requirements]),
      ),
    );
    return path.join(environment, 'bin');
  } catch (error) {
    say(`✗ ${peer} cannot be installed, and is not measured: ${error.message}`);
    return undefined;
  }
}

/** CPUs that inference could use. */
export const CPUS = cpus().length;
