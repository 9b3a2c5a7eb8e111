// Rounds of measurements: in each, all servers run at the same time and are asked in turn, a slice of load each, again and
// again. What else the machine does then meets all of them alike.
import getPort from 'get-port';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { setInterval, clearInterval } from 'node:timers';
import { fileURLToPath } from 'node:url';
import { say } from '../../scripts/commands.mjs';
import { CPUS, preparePeer, state } from './preparation.mjs';
import { Helper, ServerProcess } from './processes.mjs';
import { OTHERS, ourRuntime, ours } from './sides.mjs';
import { summarize } from './statistics.mjs';

export const CLIENTS = [1, 4, 16];

/** What our server logs when it takes calls. */
const READY = '"msg":"ready"';
/** Milliseconds between two looks at the memory of a server under load. */
const MEMORY_INTERVAL = 200;

const script = (name) => fileURLToPath(new URL(name, import.meta.url));

/**
 * @typedef {{ slices: number, seconds: number }} Plan of each number of clients: how many slices, and how long one is
 * @typedef {{ bytes: number, readySeconds: number, loads: Record<string, import('./statistics.mjs').Summary> }} SideResult
 * @typedef {Record<string, SideResult>} Round by name of the side; `loads` by number of clients
 */

/** Our server, started alone. @param {string} model */
export async function startOurs(model) {
  return start(await ours(), model);
}

/**
 * @param {import('./sides.mjs').ServerDescription} description @param {string} model
 * @returns {Promise<{ server: ServerProcess, ports: { port: number, second: number }, readySeconds: number } | undefined>}
 *   undefined when it cannot be installed
 */
async function start(description, model) {
  const [program, ...args] = description.command;
  const bin = description.python === undefined ? undefined : await preparePeer(description.python);
  if (bin === undefined && description.python !== undefined) return undefined;
  const ports = { port: await getPort(), second: await getPort() };
  const environment = {
    ...process.env,
    MODEL_DIR: model,
    // Nothing is left behind in the clone, and a peer finds nothing of ours in its own state.
    PYTHONDONTWRITEBYTECODE: '1',
    BENTOML_HOME: path.join(state, 'bentoml'),
    ...description.environment(ports),
  };
  const logs = path.join(state, 'logs');
  await mkdir(logs, { recursive: true });
  const command = [bin === undefined ? program : path.join(bin, program), ...args];
  const server = new ServerProcess(command, environment, path.join(logs, `${description.name}.log`));
  const readySeconds = description.name === 'slipway' ? await server.line(READY) : NaN;
  return { server, ports, readySeconds };
}

/**
 * @param {string} model @param {Plan} plan @param {readonly string[]} only names of servers; none means all
 * @returns {Promise<Round>}
 */
export async function measureRound(model, plan, only) {
  const helpers = {
    load: new Helper(script('load.mjs'), [model]),
    limit: new Helper(script('limit.mjs'), [model], await ourRuntime()),
  };
  const running = [];
  try {
    const sides = [limitSide(helpers.limit)];
    // One after the other: ours is ready in the time that it takes alone.
    for (const description of [await ours(), ...OTHERS].filter(
      ({ name }) => only.length === 0 || only.includes(name),
    )) {
      const started = await start(description, model);
      if (started === undefined) continue;
      running.push(started.server);
      sides.push(...(await serverSides(description, started, helpers.load)));
    }
    return await measureSides(sides, plan);
  } finally {
    Object.values(helpers).forEach((helper) => helper.stop());
    await Promise.all(running.map((server) => server.stop()));
  }
}

/** @param {Helper} helper */
function limitSide(helper) {
  return {
    name: 'limit',
    readySeconds: NaN,
    // As many threads as clients, but never more than CPUs: that would only be slower.
    load: (clients, seconds) => helper.run({ request: { clients: Math.min(clients, CPUS), seconds } }),
    memory: async () => NaN,
    cpu: () => helper.cpu(),
  };
}

/** The sides of a server that answers all photos as TensorFlow does. */
async function serverSides({ name, sides }, { server, ports, readySeconds }, helper) {
  const targets = sides.map((side) => ({ ...side, port: ports[side.port] }));
  for (const target of targets.filter(({ transport }) => transport !== 'echo')) {
    await server.ready(() => helper.run({ task: 'check', request: target }));
  }
  say(`  ${name} answers`);
  return targets.map(({ name: side, transport, port }) => ({
    name: side,
    readySeconds,
    load: (clients, seconds) => helper.run({ task: 'load', request: { transport, port, clients, seconds } }),
    memory: () => server.memory(),
    cpu: () => server.cpu(),
  }));
}

/** @returns {Promise<Round>} */
async function measureSides(sides, { slices, seconds }) {
  const loads = Object.fromEntries(sides.map(({ name }) => [name, {}]));
  const bytes = Object.fromEntries(sides.map(({ name }) => [name, 0]));
  for (const clients of CLIENTS) {
    for (let slice = 0; slice < slices; slice++) {
      for (const side of rotated(sides, slice)) {
        const look = setInterval(async () => {
          bytes[side.name] = Math.max(bytes[side.name], await side.memory());
        }, MEMORY_INTERVAL);
        const before = await side.cpu();
        const load = await side.load(clients, seconds);
        clearInterval(look);
        (loads[side.name][clients] ??= []).push({ ...load, cpu: (await side.cpu()) - before });
      }
    }
  }
  return Object.fromEntries(
    sides.map(({ name, readySeconds }) => {
      const summaries = Object.entries(loads[name]).map(([clients, parts]) => [clients, summarize(parts)]);
      return [name, { readySeconds, bytes: bytes[name], loads: Object.fromEntries(summaries) }];
    }),
  );
}

/** The same, begun elsewhere. */
function rotated(items, by) {
  const at = by % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}
