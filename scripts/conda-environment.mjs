// Writes conversion/environment.yml, which Azure ML builds the job's environment from, out of conversion/requirements.txt.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { root, runAsScript } from './commands.mjs';

const PYTHON = '3.11';

/** @param {string} requirements @returns {string} a conda environment file */
export function condaEnvironment(requirements) {
  const pinned = requirements.split('\n').filter((line) => /^[a-z0-9]/i.test(line));
  return [
    'name: slipway-conversion',
    'channels: [conda-forge]',
    'dependencies:',
    `  - python=${PYTHON}`,
    '  - pip',
    '  - pip:',
    ...pinned.map((line) => `      - ${line.includes(' ;') ? JSON.stringify(line) : line}`),
    '',
  ].join('\n');
}

await runAsScript(import.meta, async () => {
  const directory = path.join(root, 'conversion');
  const requirements = await readFile(path.join(directory, 'requirements.txt'), 'utf8');
  await writeFile(path.join(directory, 'environment.yml'), condaEnvironment(requirements));
});
