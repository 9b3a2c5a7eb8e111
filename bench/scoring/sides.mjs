// The servers that are compared: how each is started, and how it is asked.
import path from 'node:path';
import { root } from '../../scripts/commands.mjs';

const peers = path.join(root, 'bench/scoring/peers');
const peer = (file) => path.join(peers, file);

/** Workers of each peer; the better is counted. */
const WORKERS = [1, 2];
/** Inference threads of ours, as `scoring.cpu: 2` gives it, and CPUs of each thread on all sides. */
const THREADS = { WORKER_THREADS: '2', INTRA_OP_THREADS: '1' };

/**
 * @typedef {{ [name: string]: string }} Environment
 * @typedef {object} ServerDescription
 * @property {string} name
 * @property {string} [python] the peer whose environment it needs
 * @property {string[]} command program and arguments; with `python`, a program of its environment
 * @property {(ports: { port: number, second: number }) => Environment} environment
 * @property {{ transport: string, port: 'port' | 'second', name: string }[]} sides ways to ask it; `name` is that of the row
 */

/** Node's options and the environment that an image gives our server; known once it is built. */
export async function ourRuntime() {
  const { serverEnvironment, serverNodeOptions } = await import(path.join(root, 'dist/image/runtime.js'));
  return { execArgv: [...serverNodeOptions], env: { ...process.env, ...serverEnvironment } };
}

/** Ours, started as an image starts it; known once it is built. @returns {Promise<ServerDescription>} */
export async function ours() {
  const { execArgv, env } = await ourRuntime();
  return {
    name: 'slipway',
    command: [process.execPath, ...execArgv, path.join(root, 'dist/scoring/runtime/app/server.mjs')],
    environment: ({ port, second }) => ({
      ...env,
      ...THREADS,
      HOST: '127.0.0.1',
      MODEL_NAME: 'scoring',
      GRPC_PORT: String(port),
      HTTP_PORT: String(second),
    }),
    sides: [{ name: 'slipway', transport: 'predict', port: 'port' }],
  };
}

/** gRPC of Node alone: requests and answers of the same sizes, and nothing done between. @type {ServerDescription} */
const ECHO = {
  name: 'echo',
  command: [process.execPath, path.join(root, 'bench/scoring/echo.mjs')],
  environment: ({ port }) => ({ PORT: String(port) }),
  sides: [{ name: 'echo', transport: 'echo', port: 'port' }],
};

/** @returns {ServerDescription} */
const litserve = (workers) => ({
  name: `litserve-${workers}`,
  python: 'litserve',
  command: ['python', peer('litserve_server.py')],
  environment: ({ port }) => ({ ...THREADS, WORKERS: String(workers), PORT: String(port) }),
  sides: [{ name: `LitServe, ${workers}`, transport: 'score', port: 'port' }],
});

/** @returns {ServerDescription} */
const bentoml = (workers) => ({
  name: `bentoml-${workers}`,
  python: 'bentoml',
  command: ['bentoml', 'serve', 'bentoml_service:Scoring', '--working-dir', peers, '--host', '127.0.0.1'],
  environment: ({ port }) => ({
    ...THREADS,
    WORKERS: String(workers),
    BENTOML_PORT: String(port),
    BENTOML_DO_NOT_TRACK: 'true',
  }),
  sides: [{ name: `BentoML, ${workers}`, transport: 'score', port: 'port' }],
});

/** KServe answers gRPC in its first process only, however many workers there are. @returns {ServerDescription} */
const kserve = (workers) => ({
  name: `kserve-${workers}`,
  python: 'kserve',
  command: ['python', peer('kserve_server.py'), '--log_config_file', peer('kserve-logging.json')],
  environment: ({ port, second }) => ({
    ...THREADS,
    WORKERS: String(workers),
    PORT: String(port),
    GRPC_PORT: String(second),
  }),
  sides: [
    { name: `KServe REST, ${workers}`, transport: 'kserveRest', port: 'port' },
    ...(workers === 1 ? [{ name: 'KServe gRPC', transport: 'modelInfer', port: 'second' }] : []),
  ],
});

/** All servers but ours. @type {readonly ServerDescription[]} */
export const OTHERS = [ECHO, ...[litserve, bentoml, kserve].flatMap((describe) => WORKERS.map(describe))];
