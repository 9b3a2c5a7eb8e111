// Reads records as fast as they are answered, over connections that stay open; a process of its own, so that the client's work is
// not the server's. Takes a job (JSON) on standard input, and answers calls a second on standard output.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { performance } from 'node:perf_hooks';
import { json } from 'node:stream/consumers';

/**
 * @typedef {{ arm: string, ca: string, token: string, paths: string[], connections: number, warmup: number, seconds: number }} Load
 * `warmup` seconds are not counted
 */

/** @type {Load} */
const { arm, ca, token, paths, connections, warmup, seconds } = await json(process.stdin);
const agent = new Agent({ ca: readFileSync(ca), keepAlive: true, maxSockets: connections });
const { hostname, port } = new URL(arm);
const headers = { authorization: `Bearer ${token}` };

/** @param {string} path */
async function read(path) {
  const sent = request({ hostname, port, path, agent, headers });
  sent.end();
  const [response] = await once(sent, 'response');
  response.resume();
  await once(response, 'end');
  if (response.statusCode !== 200) throw new Error(`GET ${path}: ${response.statusCode}`);
}

const from = performance.now() + warmup * 1000;
const to = from + seconds * 1000;
let next = 0;
let answered = 0;

async function connection() {
  while (performance.now() < to) {
    // A stride that is prime to any number of records: neighbours in turn would be read in the order in which they were made.
    next += 7919;
    await read(paths[next % paths.length]);
    const now = performance.now();
    if (now >= from && now <= to) answered += 1;
  }
}

await Promise.all(Array.from({ length: connections }, connection));
agent.destroy();
process.stdout.write(JSON.stringify(answered / seconds));
