// The processes that the benchmark starts: servers with all that they start, and helpers that do one task at a time.
import { fork, spawn } from 'node:child_process';
import { createWriteStream, existsSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { cpuOf, family, memoryOf } from '../process-family.mjs';

/** How long a server may take until it answers, and to end, in milliseconds. Python servers import for many seconds. */
const READY_TIMEOUT = 120_000;
const STOP_TIMEOUT = 10_000;
const LOOK_INTERVAL = 100;

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
