import { existsSync, statSync } from 'node:fs';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { logFile, readAppended, readLog } from '../kubelet/container-log.js';
import { logFollowIntervalMs } from '../limits.js';
import type { Pod } from '../objects/pod.js';
import type { Registry } from './registry.js';
import { parsePath, parseQuery, type Query } from './requests.js';
import { pods } from './resources.js';
import { badRequest } from './status.js';

/** The container that a log request means, and the number of its run. */
function chooseRun(pod: Pod, query: Query): { container: string; run: number } {
  const names = pod.spec.containers.map(({ name }) => name);
  const container = query.container ?? names[0] ?? '';
  const podName = pod.metadata.name;
  if (query.container === undefined && names.length > 1) {
    throw badRequest(`a container name must be specified for pod ${podName}, choose one of: [${names.join(' ')}]`);
  }
  if (!names.includes(container)) throw badRequest(`container ${container} is not valid for pod ${podName}`);
  const status = pod.status.containerStatuses?.find(({ name }) => name === container);
  const run = (status?.restartCount ?? 0) - (query.previous === true ? 1 : 0);
  if (run < 0) {
    throw badRequest(`previous terminated container "${container}" in pod "${podName}" not found`);
  }
  return { container, run };
}

/** Answers `GET pods/NAME/log`. */
export async function servePodLog(
  request: FastifyRequest,
  reply: FastifyReply,
  registry: Registry,
  logDirectory: string,
): Promise<unknown> {
  const { namespace, name } = parsePath(request);
  const query = parseQuery(request.query);
  const pod = registry.get(pods, namespace, name);
  const { container, run } = chooseRun(pod, query);
  const path = logFile(logDirectory, pod.metadata.uid, container, run);
  const waiting = pod.status.containerStatuses?.find((status) => status.name === container)?.state.waiting;
  if (!existsSync(path) && (waiting !== undefined || pod.status.phase === 'Pending')) {
    const reason = waiting?.reason ?? 'ContainerCreating';
    throw badRequest(`container "${container}" in pod "${name}" is waiting to start: ${reason}`);
  }
  const sinceTime = query.sinceSeconds === undefined ? undefined : new Date(Date.now() - query.sinceSeconds * 1000);
  const end = existsSync(path) ? statSync(path).size : 0;
  const text = readLog(path, { ...query, sinceTime });
  if (query.follow !== true) return reply.type('text/plain').send(text);
  const isRunning = () => {
    const current = registry.store.get(pods, namespace, name);
    if (current?.metadata.uid !== pod.metadata.uid) return false;
    const status = current.status.containerStatuses?.find((candidate) => candidate.name === container);
    return status?.restartCount === run && status.state.running !== undefined;
  };
  await follow(reply, { path, text, start: end, timestamps: query.timestamps === true, isRunning });
  return reply;
}

interface Followed {
  path: string;
  /** What had been written when the request came, as it was asked for. */
  text: string;
  /** Where the file goes on after that, in bytes. */
  start: number;
  timestamps: boolean;
  isRunning: () => boolean;
}

async function follow(reply: FastifyReply, { path, text, start, timestamps, isRunning }: Followed): Promise<void> {
  reply.hijack();
  const stream = reply.raw;
  stream.writeHead(200, { 'content-type': 'text/plain' });
  stream.flushHeaders();
  stream.write(text);
  const send = (line: string) => stream.write(`${timestamps ? line : line.slice(line.indexOf(' ') + 1)}\n`);
  let position = start;
  for (let running = true; running && !stream.destroyed;) {
    running = isRunning();
    position = await readAppended(path, position, send);
    if (running) await new Promise((resolve) => setTimeout(resolve, logFollowIntervalMs));
  }
  stream.end();
}
