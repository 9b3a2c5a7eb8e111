// The local Azure as a process of its own, and calls to it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { URLSearchParams } from 'node:url';
import { root } from '../../scripts/commands.mjs';
import { memoryOf } from '../process-family.mjs';

const program = path.join(root, 'dist', 'emulator', 'main.js');

/** Milliseconds between two looks at whether it is ready: small beside what is measured. */
const LOOK_INTERVAL = 5;
/** Where a start is given up, in milliseconds: far over what is asked of it. */
const START = 120_000;
const MEGABYTE = 1e6;

/** A running local Azure. */
export class EmulatorProcess {
  /**
   * @param {import('node:child_process').ChildProcess} child
   * @param {Record<string, string>} endpoints
   * @param {number} readySeconds from the start of the process until it says that it is healthy, its blobs included
   * @param {Agent} agent
   */
  constructor(child, endpoints, readySeconds, agent) {
    this.child = child;
    this.endpoints = endpoints;
    this.readySeconds = readySeconds;
    this.agent = agent;
    this.token = '';
  }

  /** @param {string} state directory @param {readonly string[]} flags @returns {Promise<EmulatorProcess>} once it is healthy */
  static async start(state, flags = []) {
    const started = performance.now();
    const child = spawn(process.execPath, [program, '--state', state, ...flags], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const endpoints = await untilReady(child, path.join(state, 'endpoints.json'), started + START);
    const agent = new Agent({ ca: await readFile(endpoints.ca), keepAlive: true });
    const azure = new EmulatorProcess(child, endpoints, 0, agent);
    await azure.call('GET', '/healthz');
    azure.readySeconds = (performance.now() - started) / 1000;
    await azure.signIn();
    return azure;
  }

  async signIn() {
    const { tenantId, clientId, clientSecret } = this.endpoints;
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      scope: 'https://management.azure.com/.default',
    });
    const type = 'application/x-www-form-urlencoded';
    this.token = (await this.send('POST', `/${tenantId}/oauth2/v2.0/token`, body.toString(), type)).access_token;
  }

  /** @param {string} method @param {string} target path and query @param {unknown} [body] @returns {Promise<any>} the answer's JSON */
  call(method, target, body) {
    return this.send(method, target, body === undefined ? undefined : JSON.stringify(body), 'application/json');
  }

  /** @returns {Promise<any>} @throws when the answer is an error */
  async send(method, target, content, type) {
    const headers = {
      ...(this.token && { authorization: `Bearer ${this.token}` }),
      ...(content && { 'content-type': type }),
    };
    const sent = request(`${this.endpoints.arm}${target}`, { method, agent: this.agent, headers });
    sent.end(content);
    const [response] = await once(sent, 'response');
    const answer = await text(response);
    if (response.statusCode >= 400) throw new Error(`${method} ${target}: ${response.statusCode} ${answer}`);
    return answer === '' ? undefined : JSON.parse(answer);
  }

  /** @param {string} type of the resources @returns {string} where those of the seeded group are */
  path(type) {
    const { subscriptionId, resourceGroup } = this.endpoints;
    return `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/${type}`;
  }

  /** @returns {Promise<number>} resident memory of the process and of those that it started, MB */
  async residentMegabytes() {
    return (await memoryOf(this.child.pid)) / MEGABYTE;
  }

  /** @param {NodeJS.Signals} signal */
  async end(signal) {
    this.agent.destroy();
    const exited = once(this.child, 'exit');
    this.child.kill(signal);
    await exited;
  }
}

/** @returns {Promise<Record<string, string>>} what `endpoints.json` says once it is this process' */
async function untilReady(child, file, deadline) {
  for (;;) {
    const endpoints = await readFile(file, 'utf8').then(JSON.parse, () => undefined);
    if (endpoints?.pid === child.pid) return endpoints;
    if (child.exitCode !== null) throw new Error(`the local Azure ended with ${child.exitCode}`);
    if (performance.now() > deadline) throw new Error(`the local Azure does not start`);
    await wait(LOOK_INTERVAL);
  }
}
