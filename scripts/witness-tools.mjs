// Installs what judges the local Azure in `npm run test:witness`: kubectl, az with Azure's SDK for Python, and what the oracle
// scripts want. What cannot be installed is told, and what it would test is skipped, which is a failure in CI.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { during, home, root, run, say } from './commands.mjs';
import { ensureTools, makeEnvironment, once } from './python-environment.mjs';

const PYTHON_CLIENT = 'kubernetes==37.0.2';
const CRANE = 'github.com/google/go-containerregistry/cmd/crane@v0.22.1';

const tools = path.join(home, 'python', 'witness');
const bin = path.join(tools, 'bin');
const azure = path.join(home, 'python', 'azure');
/** Go keeps its own files below the project's state, and writable so that they can be removed. */
const goCache = path.join(home, 'cache', 'go');
const env = { GOBIN: bin, GOPATH: goCache, GOCACHE: path.join(goCache, 'build'), GOFLAGS: '-modcacherw' };

/** Installs into `.slipway/python` what is not there, and not on this machine. */
export async function ensureWitnessTools() {
  await ensureTools();
  if (existsSync(path.join(root, '../shared/oracles'))) await attempt('the clients of the oracle scripts', oracleTools);
  else say('  the oracle scripts are left out: there is no ../shared/oracles');
  await attempt('kubectl', kubectl);
  await attempt("az and Azure's SDK for Python", azureClients);
}

/** @param {string} clients @param {() => Promise<void>} install */
async function attempt(clients, install) {
  try {
    await install();
  } catch (error) {
    say(`✗ ${clients} could not be installed, and what they test is skipped: ${error.message}`);
  }
}

/** The Python client of Kubernetes, and crane: the oracle scripts judge with them. */
async function oracleTools() {
  await once(path.join(tools, '.oracles'), `${PYTHON_CLIENT} ${CRANE}`, () =>
    during(`Witnesses for tests: ${PYTHON_CLIENT}, crane`, async () => {
      await makeEnvironment(tools, [PYTHON_CLIENT]);
      await run('go', ['install', CRANE], { env, quiet: true });
    }),
  );
}

async function kubectl() {
  const program = path.join(bin, 'kubectl');
  if (isOnPath('kubectl') || existsSync(program)) return;
  await during('kubectl from its Go modules (some minutes)', () =>
    run('go', ['build', '-o', program, '.'], { cwd: path.join(root, 'test/witness/kubectl'), env, quiet: true }),
  );
}

async function azureClients() {
  const requirements = path.join(root, 'test/witness/azure/requirements.txt');
  await once(path.join(azure, '.installed'), await readFile(requirements, 'utf8'), () =>
    during("az and Azure's SDK for Python (370 MB on disk)", () =>
      makeEnvironment(azure, ['--requirements', requirements]),
    ),
  );
}

/** @param {string} program */
function isOnPath(program) {
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  return folders.some((folder) => existsSync(path.join(folder, program)));
}
