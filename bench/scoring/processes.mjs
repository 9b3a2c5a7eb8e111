// The processes that the benchmark starts: servers with all that they start, and helpers that do one task at a time.
import { fork, spawn } from 'node:child_process';
import { createWriteStream, existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';

/** How long a server may take until it answers, and to end, in milliseconds. Python servers import for many seconds. */
const READY_TIMEOUT = 120_000;
const STOP_TIMEOUT = 10_000;
const LOOK_INTERVAL = 100;
/** Milliseconds of the unit in which Linux counts CPU: 100 a second on every platform that Node runs on. */
const TICK = 10;

/** A process of ours that does tasks. */
export class Helper {
  /** @param {string} script @param {string[]} args @param {import('node:child_process').ForkOptions} [options] */
  constructor(script, args, options) {
    this.child = fork(script, args, { ...options, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  }

  /** @param {object} message @returns {Promise<any>} its result; rejects when the task fails or the process ends */
  async run(message) {
    const answer = new Promise((resolve, reject) => {
      this.child.once('message', ({ result, error }) => (error ? reject(new Error(error)) : resolve(result)));
      this.child.once('exit', (code) => reject(new Error(`a helper ended with ${code}`)));
    });
    this.child.send(message);
    try {
      return await answer;
    } finally {
      this.child.removeAllListeners();
    }
  }

  /** @returns {Promise<number>} see {@link cpuOf} */
  cpu() {
    return cpuOf(this.child.pid);
  }

  stop() {
    this.child.kill('SIGKILL');
  }
}

/** A server under test and all processes that it starts. */
export class ServerProcess {
  /**
   * @param {string[]} command @param {Record<string, string | undefined>} environment @param {string} log file
   */
  constructor([program, ...args], environment, log) {
    this.started = performance.now();
    this.child = spawn(program, args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    const file = createWriteStream(log);
    this.child.stdout.pipe(file, { end: false });
    this.child.stderr.pipe(file, { end: false });
    this.log = log;
    this.ended = new Promise((resolve) => {
      this.child.once('error', resolve);
      this.child.once('exit', (code, signal) => resolve(new Error(`ended with ${code ?? signal}; see ${log}`)));
    });
    void this.ended.then((reason) => (this.reason = reason));
  }

  /** @param {string} text @returns {Promise<number>} seconds from the start until a line of the output has the text */
  line(text) {
    const found = new Promise((resolve) => {
      this.child.stdout.on('data', (data) => {
        if (data.includes(text)) resolve((performance.now() - this.started) / 1000);
      });
    });
    return Promise.race([found, this.ended.then((reason) => Promise.reject(reason))]);
  }

  /** @param {() => Promise<unknown>} answers resolves once it does */
  async ready(answers) {
    for (;;) {
      if (this.reason) throw this.reason;
      try {
        return await answers();
      } catch (error) {
        if (performance.now() - this.started > READY_TIMEOUT) throw error;
        await wait(LOOK_INTERVAL);
      }
    }
  }

  /** @returns {Promise<number>} bytes in memory of all its processes */
  memory() {
    return memoryOf(this.child.pid);
  }

  /** @returns {Promise<number>} see {@link cpuOf} */
  cpu() {
    return cpuOf(this.child.pid);
  }

  /** Asks it to end, and after a while ends all that is left of it. */
  async stop() {
    const members = await family(this.child.pid);
    if (this.reason === undefined) this.child.kill('SIGTERM');
    await Promise.race([this.ended, wait(STOP_TIMEOUT, undefined, { ref: false })]);
    for (const member of members) if (existsSync(`/proc/${member}`)) process.kill(member, 'SIGKILL');
    await this.ended;
  }
}

/**
 * @param {number} pid
 * @returns {Promise<number[]>} the process, what it started and what these started, whatever groups they made for themselves
 */
async function family(pid) {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const parents = new Map(await Promise.all(ids.map(async (id) => [Number(id), Number((await statOf(id))[1])])));
  const members = parents.has(pid) ? [pid] : [];
  // Grows while it is walked.
  for (const member of members) for (const [id, parent] of parents) if (parent === member) members.push(id);
  return members;
}

/** @param {number} pid @returns {Promise<number>} bytes in memory of it and all that it started */
async function memoryOf(pid) {
  const sizes = (await family(pid)).map(async (id) => {
    const status = await readFile(`/proc/${id}/status`, 'utf8').catch(() => '');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
  });
  return sum(await Promise.all(sizes));
}

/** @param {number} pid @returns {Promise<number>} milliseconds of CPU that it and all that it started have taken */
async function cpuOf(pid) {
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
