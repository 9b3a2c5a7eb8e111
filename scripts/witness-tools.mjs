// Installs what judges the local Azure in `npm run test:witness`. Needs Go.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { during, home, root, run, say } from './commands.mjs';
import { ensureTools, makeEnvironment, once } from './python-environment.mjs';

const PYTHON_CLIENT = 'kubernetes==37.0.2';
const CRANE = 'github.com/google/go-containerregistry/cmd/crane@v0.22.1';

const tools = path.join(home, 'python', 'witness');
const bin = path.join(tools, 'bin');
/** Go keeps its own files below the project's state, and writable so that they can be removed. */
const goCache = path.join(home, 'cache', 'go');
const env = { GOBIN: bin, GOPATH: goCache, GOCACHE: path.join(goCache, 'build'), GOFLAGS: '-modcacherw' };

/** Installs into `.slipway/python/witness/bin` what is not there, and not on this machine. */
export async function ensureWitnessTools() {
  await ensureTools();
  if (existsSync(path.join(root, '../shared/oracles'))) await ensureOracleTools();
  else say('  the oracle scripts are left out: there is no ../shared/oracles');
  const onPath = (process.env.PATH ?? '')
    .split(path.delimiter)
    .some((folder) => existsSync(path.join(folder, 'kubectl')));
  const kubectl = path.join(bin, 'kubectl');
  if (onPath || existsSync(kubectl)) return;
  await during('kubectl from its Go modules (some minutes)', () =>
    run('go', ['build', '-o', kubectl, '.'], { cwd: path.join(root, 'test/witness/kubectl'), env, quiet: true }),
  );
}

/** The Python client of Kubernetes, and crane: the oracle scripts judge with them. */
async function ensureOracleTools() {
  await once(path.join(tools, '.oracles'), `${PYTHON_CLIENT} ${CRANE}`, () =>
    during(`Witnesses for tests: ${PYTHON_CLIENT}, crane`, async () => {
      await makeEnvironment(tools, [PYTHON_CLIENT]);
      await run('go', ['install', CRANE], { env, quiet: true });
    }),
  );
}
