// Installs the npm packages when what is installed is not what package-lock.json says.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { during, root, run } from './commands.mjs';

/** @param {string} file @returns {Promise<Record<string, { version?: string, optional?: boolean }> | undefined>} */
async function lockedPackages(file) {
  try {
    return JSON.parse(await readFile(file, 'utf8')).packages;
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Whether npm's own record of what it installed agrees with the lock file. An optional package (a binary for another
 * system) may be absent.
 */
async function isInstalled() {
  const wanted = await lockedPackages(path.join(root, 'package-lock.json'));
  const installed = await lockedPackages(path.join(root, 'node_modules/.package-lock.json'));
  if (!wanted || !installed) return false;
  return Object.entries(wanted)
    .filter(([where]) => where !== '')
    .every(
      ([where, { version, optional }]) => installed[where]?.version === version || (optional && !installed[where]),
    );
}

/** Installs what package-lock.json says, when that is not what is there. */
export async function ensurePackages() {
  if (await isInstalled()) return;
  // onnxruntime-node would fetch GPU libraries from outside; the CPU library is in the package.
  const env = { ONNXRUNTIME_NODE_INSTALL: 'skip', npm_config_update_notifier: 'false' };
  // Not `npm ci`: it refuses a lock file without the optional packages of other systems, and not every registry has those.
  // Both take the versions and check the digests that the lock file has.
  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel', 'error'];
  // Under `npm run`, npm names its own program; else the shell finds it.
  const npm = process.env.npm_execpath;
  const [program, ...first] = npm?.endsWith('.js') ? [process.execPath, npm] : ['npm'];
  await during('npm packages (about 1 GB on disk)', () => run(program, [...first, ...args], { env }));
}
