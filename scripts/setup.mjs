// Makes a clone ready to run: npm packages, Python environments, build. Each part is skipped when it is there.
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { build } from './build.mjs';
import { nodeProblem } from '../bin/node-version.mjs';
import { CannotRun, root, runAsScript } from './commands.mjs';
import { withLock } from './lock.mjs';
import { ensurePackages } from './npm-packages.mjs';
import { ensureConversion, ensureServingApi, ensureTools } from './python-environment.mjs';

/**
 * @param {{ test?: boolean, conversion?: boolean }} [options] `test` also installs what only tests need; `conversion` the
 *   environment that builds the sample model
 */
export async function setup({ test = false, conversion = true } = {}) {
  const problem = nodeProblem(process.versions.node, process.execPath);
  if (problem !== undefined) throw new CannotRun(problem);
  const python = async () => {
    await ensureTools({ test });
    if (conversion) await ensureConversion();
    if (test) await ensureServingApi();
  };
  const packages = path.join(root, 'node_modules');
  await mkdir(packages, { recursive: true });
  await withLock(path.join(packages, '.slipway-setup'), async () => {
    const parts = await Promise.allSettled([ensurePackages(), python()]);
    const failed = parts.find((part) => part.status === 'rejected');
    if (failed) throw failed.reason;
    await build();
  });
}

await runAsScript(import.meta, () => setup());
