import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { PatchStrategy, PortForward, setHeaderOptions, type V1Service } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmulator, type TestEmulator } from '../fixtures/emulator.js';
import {
  containerService,
  createCluster,
  deployment,
  get,
  grantPull,
  kubernetesClients,
  podsOf,
  pushPodImage,
  rolledOut,
  until,
  type DeploymentOptions,
  type KubernetesClients,
} from '../fixtures/kubernetes.js';

const namespace = 'default';
let emulator: TestEmulator;
let clients: KubernetesClients;
let image: string;

beforeAll(async () => {
  emulator = await startEmulator();
  [image] = await Promise.all([pushPodImage(emulator, 'slipway/services'), createCluster(emulator, 'services')]);
  await grantPull(emulator, 'services');
  clients = await kubernetesClients(emulator, 'services');
});
afterAll(() => emulator?.stop());

async function run(name: string, options: DeploymentOptions = {}): Promise<void> {
  await clients.apps.createNamespacedDeployment({ namespace, body: deployment(name, image, options) });
  await rolledOut(clients, name);
}

function service(name: string, app: string, type: 'ClusterIP' | 'LoadBalancer'): V1Service {
  const ports = [{ name: 'http', port: 8500, targetPort: 'http' }];
  return { metadata: { name }, spec: { type, selector: { app }, ports } };
}

/** Creates a LoadBalancer Service and gives its address. */
async function expose(name: string, app: string): Promise<string> {
  const created = await clients.core.createNamespacedService({ namespace, body: service(name, app, 'LoadBalancer') });
  expect(created.status?.loadBalancer?.ingress ?? []).toEqual([]);
  return until('an address', async () => {
    const { status } = await clients.core.readNamespacedService({ namespace, name });
    return status?.loadBalancer?.ingress?.[0]?.ip;
  });
}

async function select(name: string, app: string): Promise<void> {
  const body = { spec: { selector: { app } } };
  const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
  await clients.core.patchNamespacedService({ namespace, name, body }, merge);
}

/** GET on a connection that is kept. */
async function getOn(agent: Agent, host: string, path: string): Promise<string> {
  const sent = request({ host, port: 8500, path, agent });
  sent.end();
  const [response] = (await once(sent, 'response')) as [NodeJS.ReadableStream];
  return text(response);
}

describe('a LoadBalancer Service', () => {
  it('answers on its own address from its ready pods, and moves new connections only', async () => {
    await Promise.all([run('blue', { env: { VERSION: 'blue' } }), run('green', { env: { VERSION: 'green' } })]);
    const ip = await expose('front', 'blue');
    expect(ip).toMatch(/^127\.77\./);
    const kept = new Agent({ keepAlive: true, maxSockets: 1 });
    expect(await getOn(kept, ip, '/version')).toBe('blue');

    await select('front', 'green');
    expect((await get(ip, 8500, '/version')).body).toBe('green');
    expect(await getOn(kept, ip, '/version')).toBe('blue');
    kept.destroy();
  });

  it('takes no connection while no pod is ready, and loses a pod that is no longer ready', async () => {
    await run('flipping');
    const ip = await expose('flip', 'flipping');
    const [pod] = await podsOf(clients, 'flipping');
    await get(pod?.status?.podIP ?? '', 8080, '/off');
    const endpoints = async () => clients.core.readNamespacedEndpoints({ namespace, name: 'flip' });
    await until('the pod to leave', async () => (await endpoints()).subsets?.[0]?.notReadyAddresses?.length === 1);
    await expect(get(ip, 8500, '/version')).rejects.toThrow('ECONNRESET');
    await get(pod?.status?.podIP ?? '', 8080, '/on');
    await until('the pod to come back', async () => (await endpoints()).subsets?.[0]?.addresses?.length === 1);
    expect((await get(ip, 8500, '/version')).status).toBe(200);
  });

  it('is gone with its address when it is deleted', async () => {
    await run('brief');
    const ip = await expose('brief', 'brief');
    await clients.core.deleteNamespacedService({ namespace, name: 'brief' });
    await until('the address to go', async () =>
      get(ip, 8500, '/version').then(
        () => false,
        (error: NodeJS.ErrnoException) => error.code === 'ECONNREFUSED',
      ),
    );
    const { items } = await clients.core.listNamespacedEndpoints({ namespace });
    expect(items.map(({ metadata }) => metadata?.name)).not.toContain('brief');
  });
});

/** A local port whose connections are forwarded to the pod of an app. */
async function forwarding(app: string): Promise<{ bridge: Server; port: number }> {
  const [pod] = await podsOf(clients, app);
  const forward = new PortForward(clients.config);
  const bridge = createServer((socket: Socket) => {
    const opening = forward.portForward(namespace, pod?.metadata?.name ?? '', [8080], socket, null, socket);
    const end = () => socket.destroy();
    opening.then((opened) => typeof opened !== 'function' && opened.on('close', end)).catch(end);
  });
  await once(bridge.listen(0, '127.0.0.1'), 'listening');
  return { bridge, port: (bridge.address() as AddressInfo).port };
}

describe('a ClusterIP Service', () => {
  it('has an address that is not reachable; its pods are, through port-forward', async () => {
    await run('inner', { env: { VERSION: 'inner' } });
    const body = service('inner', 'inner', 'ClusterIP');
    const { spec } = await clients.core.createNamespacedService({ namespace, body });
    expect(spec?.clusterIP).toMatch(/^10\.0\./);
    const outside = connect({ host: spec?.clusterIP ?? '', port: 8500, timeout: 300 });
    const [error] = (await Promise.race([
      once(outside, 'error'),
      once(outside, 'timeout').then(() => ['timeout']),
    ])) as unknown[];
    outside.destroy();
    expect(error).toBeDefined();

    const { bridge, port } = await forwarding('inner');
    expect((await get('127.0.0.1', port, '/version')).body).toBe('inner');
    expect((await get('127.0.0.1', port, '/self')).body).toContain('GREETING');
    bridge.close();
  });
});

describe('port-forward', () => {
  it('is hit by faults, and is in the journal', async () => {
    await run('noted');
    const { bridge, port } = await forwarding('noted');
    const since = await emulator.lastSeq();
    const match = { service: 'kubernetes', path: '/portforward$' };
    await emulator.inject({
      name: 'refused',
      match,
      when: 'before',
      then: { status: 503, code: 'ServiceUnavailable' },
    });
    await expect(get('127.0.0.1', port, '/version')).rejects.toThrow();
    expect((await get('127.0.0.1', port, '/version')).body).toBe('1');
    const seen = async () => {
      const entries = (await emulator.journal(since)).filter(({ path }) => path.endsWith('/portforward'));
      return entries.length === 2 && entries;
    };
    expect(await until('both in the journal', seen)).toMatchObject([
      { service: 'kubernetes', method: 'GET', status: 503, fault: 'refused' },
      { service: 'kubernetes', method: 'GET', status: 101 },
    ]);
    bridge.close();
  });

  it('ends with its cluster', async () => {
    await run('left');
    const { bridge, port } = await forwarding('left');
    const idle = connect({ host: '127.0.0.1', port });
    const ended = once(idle, 'close');
    idle.write('GET /version HTTP/1.1\r\nhost: pod\r\n\r\n');
    await once(idle, 'data');
    idle.resume();
    idle.write('GET /never HTTP/1.1\r\nhost: pod\r\n\r\n');
    await containerService(emulator).managedClusters.delete(emulator.endpoints.resourceGroup, 'services');
    await ended;
    bridge.close();
  });
});
