import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { PortForward } from '@kubernetes/client-node';
import type { Kubernetes } from './connection.js';
import { PORT_FORWARD_TIMEOUT_MS } from './limits.js';
import { NAMESPACE } from './manifests.js';

type WebSocket = Exclude<Awaited<ReturnType<PortForward['portForward']>>, () => unknown>;

/**
 * A port of a pod, reached through the API server: what a worker outside of the cluster can reach without a public address.
 * It listens on a Unix socket in a directory of its own, so that no other user of the machine gets in.
 */
export class PodTunnel {
  private readonly sockets = new Set<Socket>();
  private failure: Error | undefined;

  private constructor(
    private readonly forward: PortForward,
    private readonly target: { pod: string; port: number },
    private readonly server: Server,
    private readonly directory: string,
  ) {}

  /** Opens the local end; each connection to it makes one to the pod. */
  static async open(kubernetes: Kubernetes, pod: string, port: number): Promise<PodTunnel> {
    const directory = await mkdtemp(join(tmpdir(), 'slipway-tunnel-'));
    const server = createServer();
    const tunnel = new PodTunnel(new PortForward(kubernetes.config), { pod, port }, server, directory);
    server.on('connection', (socket) => void tunnel.bridge(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(join(directory, 'pod'), resolve);
    });
    return tunnel;
  }

  /** Address for a gRPC channel. */
  get address(): string {
    return `unix:${join(this.directory, 'pod')}`;
  }

  /** Why the API server or the pod refused the last connection, where it did: a gRPC client only sees that it was closed. */
  get refusal(): Error | undefined {
    return this.failure;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
    await rm(this.directory, { recursive: true, force: true });
  }

  private async bridge(socket: Socket): Promise<void> {
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    const refused = new PassThrough().setEncoding('utf8');
    refused.on('data', (text: string) => this.fail(socket, new Error(`${this.target.pod}: ${text.trim()}`)));
    try {
      const connection = await this.connect(socket, refused);
      connection.on('close', () => socket.end());
      connection.on('error', (error: Error) => this.fail(socket, error));
      socket.on('close', () => connection.close());
    } catch (error) {
      this.fail(socket, new Error(`No port-forward to ${this.target.pod}: ${reasonOf(error)}`));
    }
  }

  private async connect(socket: Socket, refused: PassThrough): Promise<WebSocket> {
    const { pod, port } = this.target;
    const opening = this.forward.portForward(NAMESPACE, pod, [port], socket, refused, socket).then((opened) => {
      // Only a forward that reconnects gives a function.
      if (typeof opened === 'function') throw new TypeError('it reconnects, and was not asked to');
      return opened;
    });
    const late = new AbortController();
    const timeout = sleep(PORT_FORWARD_TIMEOUT_MS, undefined, { signal: late.signal }).then(() => {
      // Whatever still opens is of no use to anyone.
      opening.then((connection) => connection.close()).catch(() => undefined);
      throw new Error('the API server did not answer in time');
    });
    try {
      return await Promise.race([opening, timeout]);
    } finally {
      timeout.catch(() => undefined);
      late.abort();
    }
  }

  private fail(socket: Socket, error: Error): void {
    this.failure = error;
    socket.destroy();
  }
}

/** The client hands out the `ErrorEvent` of its WebSocket, which is not an Error. */
function reasonOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'message' in error) return String(error.message);
  return String(error);
}
