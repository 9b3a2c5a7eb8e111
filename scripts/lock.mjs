// One process at a time: two terminals may start a script at the same moment.
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { say } from './commands.mjs';

/** How often to look whether the other process is done, in milliseconds. */
const LOOK_EVERY = 250;

/** After this, in milliseconds, a holder without an id is taken for dead. */
const WRITES_ID_WITHIN = 5_000;

/**
 * Runs `work` while holding a lock; waits for a process that holds it, and takes it over from one that is gone.
 *
 * @template T
 * @param {string} directory made while the lock is held
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(directory, work) {
  for (let waiting = false; !(await take(directory)); waiting = true) {
    if (await isAbandoned(directory)) {
      await rm(directory, { recursive: true, force: true });
      continue;
    }
    if (!waiting) say(`• waiting for another process that holds ${path.relative(process.cwd(), directory)}`);
    await sleep(LOOK_EVERY);
  }
  try {
    return await work();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** @param {string} directory */
async function take(directory) {
  try {
    await mkdir(directory);
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
  await writeFile(path.join(directory, 'pid'), String(process.pid));
  return true;
}

/** @param {string} directory */
async function isAbandoned(directory) {
  const pid = Number(await readFile(path.join(directory, 'pid'), 'utf8').catch(() => ''));
  if (!pid) return isOld(directory);
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

/** Whether the holder ended before it wrote its id, which it does at once. @param {string} directory */
async function isOld(directory) {
  const taken = await stat(directory).catch(() => undefined);
  return taken !== undefined && Date.now() - taken.mtimeMs > WRITES_ID_WITHIN;
}
