import { createHash } from 'node:crypto';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { backendsOf, targetPort } from './endpoints.js';
import { Controller, keyOf, splitKey } from './controller.js';
import { services } from '../api/resources.js';
import type { ClusterContext } from '../cluster-context.js';
import { loadBalancerSeconds } from '../limits.js';
import type { Service } from '../objects/service.js';

/** Addresses tried for one Service before giving up: any loopback address may be in use by another emulator. */
const addressAttempts = 16;

/** One Service's front: an address of its own with a listener for each port. */
class Front {
  private readonly listeners = new Map<number, Server>();
  private readonly connections = new Set<Socket>();
  private next = 0;

  constructor(
    private readonly context: ClusterContext,
    private readonly key: string,
    readonly ip: string,
  ) {}

  /** Listens on exactly these ports. */
  async listen(ports: readonly number[]): Promise<void> {
    for (const [port, listener] of this.listeners) {
      if (ports.includes(port)) continue;
      listener.close();
      this.listeners.delete(port);
    }
    for (const port of ports) {
      if (!this.listeners.has(port)) this.listeners.set(port, await this.open(port));
    }
  }

  close(): void {
    for (const listener of this.listeners.values()) listener.close();
    for (const socket of this.connections) socket.destroy();
    this.listeners.clear();
  }

  private open(port: number): Promise<Server> {
    return new Promise((resolve, reject) => {
      const listener = createServer({ allowHalfOpen: true }, (socket) => this.relay(socket, port));
      listener.once('error', reject);
      listener.listen(port, this.ip, () => resolve(listener));
    });
  }

  /** Connects a client to a ready pod, round robin. Existing connections stay where they are when the selector moves. */
  private relay(client: Socket, port: number): void {
    const target = this.chooseTarget(port);
    if (target === undefined) {
      client.resetAndDestroy();
      return;
    }
    const server = connect({ ...target, allowHalfOpen: true });
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.connections.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => other.destroy());
      socket.once('close', () => {
        this.connections.delete(socket);
        other.destroySoon();
      });
      socket.pipe(other);
    }
  }

  private chooseTarget(port: number): { host: string; port: number } | undefined {
    const { namespace, name } = splitKey(this.key);
    const service = this.context.store.get(services, namespace, name);
    const servicePort = service?.spec.ports.find((candidate) => candidate.port === port);
    if (service === undefined || servicePort === undefined) return undefined;
    const ready = backendsOf(this.context.store, service).filter((backend) => backend.ready);
    const backend = ready[this.next++ % ready.length];
    const number = backend === undefined ? undefined : targetPort(backend.pod, servicePort);
    return backend === undefined || number === undefined ? undefined : { host: backend.ip, port: number };
  }
}

/** A loopback address of 127.77.0.0/16 that belongs to a Service as long as nobody else listens there. */
function candidateAddress(uid: string, attempt: number): string {
  const [high = 0, low = 0] = createHash('sha256').update(`${uid}/${attempt}`).digest();
  return `127.77.${high}.${Math.min(254, Math.max(1, low))}`;
}

/** Gives each LoadBalancer Service an address of its own, where its ports lead to its ready pods. */
export function startLoadBalancerController(context: ClusterContext): Controller & { closeFronts(): void } {
  const { store, registry, emulator } = context;
  const recorder = context.recorder.as('service-controller');
  const fronts = new Map<string, Front>();
  const provisioning = new Set<string>();

  async function reconcile(key: string): Promise<void> {
    const { namespace, name } = splitKey(key);
    const service = store.get(services, namespace, name);
    if (service?.spec.type !== 'LoadBalancer') {
      fronts.get(key)?.close();
      fronts.delete(key);
      if ((service?.status.loadBalancer.ingress ?? []).length > 0 && service !== undefined) publish(service, undefined);
      return;
    }
    const ports = service.spec.ports.map(({ port }) => port);
    const front = fronts.get(key);
    const known = service.status.loadBalancer.ingress?.[0]?.ip;
    if (front !== undefined) await front.listen(ports);
    else if (known !== undefined) fronts.set(key, await openFront(service, ports, known));
    else provision(key, service);
  }

  /** An address takes its time in Azure; meanwhile the Service stays pending. */
  function provision(key: string, { metadata }: Service): void {
    if (provisioning.has(metadata.uid)) return;
    provisioning.add(metadata.uid);
    const due = emulator.clock.due(loadBalancerSeconds).getTime() - emulator.clock.now().getTime();
    emulator.clock.after(due, () => {
      provisioning.delete(metadata.uid);
      const service = store.get(services, metadata.namespace, metadata.name);
      if (service?.metadata.uid !== metadata.uid || service.spec.type !== 'LoadBalancer') return;
      const ports = service.spec.ports.map(({ port }) => port);
      openFront(service, ports).then(
        (front) => {
          fronts.set(key, front);
          recorder.record(service, 'Normal', 'EnsuredLoadBalancer', 'Ensured load balancer');
          publish(service, front.ip);
        },
        (error: unknown) => recorder.record(service, 'Warning', 'SyncLoadBalancerFailed', String(error)),
      );
    });
  }

  async function openFront(service: Service, ports: number[], known?: string): Promise<Front> {
    let failure: unknown;
    for (let attempt = 0; attempt < addressAttempts; attempt += 1) {
      const ip = attempt === 0 && known !== undefined ? known : candidateAddress(service.metadata.uid, attempt);
      const front = new Front(context, keyOf(service), ip);
      try {
        await front.listen(ports);
        if (ip !== known) publish(service, ip);
        return front;
      } catch (error) {
        front.close();
        failure = error;
      }
    }
    throw failure;
  }

  function publish(service: Service, ip: string | undefined): void {
    const set = ({ status }: Service) => void (status.loadBalancer = ip === undefined ? {} : { ingress: [{ ip }] });
    registry.update(services, service, set, { subresource: 'status' });
  }

  const controller = new Controller(context, {
    name: 'load-balancer',
    all: () => store.list(services).map(keyOf),
    concernedBy: ({ resource, object }) => (resource === services ? [keyOf(object)] : []),
    reconcile,
  });
  return Object.assign(controller, {
    closeFronts: () => {
      for (const front of fronts.values()) front.close();
      fronts.clear();
    },
  });
}
