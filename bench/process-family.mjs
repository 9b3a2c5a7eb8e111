// What Linux says of a process and of all that it started, whatever groups they made for themselves.
import { readdir, readFile } from 'node:fs/promises';

/** Milliseconds of the unit in which Linux counts CPU: 100 a second on every platform that Node runs on. */
const TICK = 10;

/**
 * @param {number} pid
 * @returns {Promise<number[]>} the process, what it started and what these started, whatever groups they made for themselves
 */
export async function family(pid) {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const parents = new Map(await Promise.all(ids.map(async (id) => [Number(id), Number((await statOf(id))[1])])));
  const members = parents.has(pid) ? [pid] : [];
  // Grows while it is walked.
  for (const member of members) for (const [id, parent] of parents) if (parent === member) members.push(id);
  return members;
}

/** @param {number} pid @returns {Promise<number>} bytes in memory of it and all that it started */
export async function memoryOf(pid) {
  const sizes = (await family(pid)).map(async (id) => {
    const status = await readFile(`/proc/${id}/status`, 'utf8').catch(() => '');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
  });
  return sum(await Promise.all(sizes));
}

/** @param {number} pid @returns {Promise<number>} milliseconds of CPU that it and all that it started have taken */
export async function cpuOf(pid) {
  const ticks = (await family(pid)).map(async (id) => {
    const fields = await statOf(id);
    return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  });
  return sum(await Promise.all(ticks)) * TICK;
}

/** @param {readonly number[]} values */
const sum = (values) => values.reduce((total, value) => total + value, 0);

/** @param {number | string} id @returns {Promise<string[]>} of proc_pid_stat(5), from the third field on; empty when it has ended */
async function statOf(id) {
  const stat = await readFile(`/proc/${id}/stat`, 'utf8').catch(() => '');
  // The second field is a name, in parentheses, that may hold spaces.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}
