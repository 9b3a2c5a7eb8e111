import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmulator, type TestEmulator } from '../fixtures/emulator.js';
import {
  containerService,
  clusterParameters,
  createCluster,
  deployment,
  get,
  grantPull,
  kubernetesClients,
  podsOf,
  pushPodImage,
  rolledOut,
  until,
} from '../fixtures/kubernetes.js';

const namespace = 'default';
let emulator: TestEmulator;

beforeAll(async () => {
  emulator = await startEmulator({ process: true });
});
afterAll(() => emulator?.stop());

describe('clusters of an emulator that was killed', () => {
  it('run their pods again at the same addresses, and nothing of before', async () => {
    const [image] = await Promise.all([pushPodImage(emulator, 'slipway/restart'), createCluster(emulator, 'kept')]);
    await grantPull(emulator, 'kept');
    const clients = await kubernetesClients(emulator, 'kept');
    await clients.apps.createNamespacedDeployment({ namespace, body: deployment('kept', image) });
    await clients.core.createNamespacedService({
      namespace,
      body: {
        metadata: { name: 'kept' },
        spec: { type: 'LoadBalancer', selector: { app: 'kept' }, ports: [{ port: 8080 }] },
      },
    });
    await rolledOut(clients, 'kept');
    const ip = await until('an address', async () => {
      const { status } = await clients.core.readNamespacedService({ namespace, name: 'kept' });
      return status?.loadBalancer?.ingress?.[0]?.ip;
    });
    const [before] = await podsOf(clients, 'kept');

    await emulator.kill();
    await emulator.restart();

    const pod = await until('the pod to run again', async () => {
      const [current] = await podsOf(clients, 'kept');
      const status = current?.status?.containerStatuses?.[0];
      return status?.restartCount === 1 && status.ready && current;
    });
    expect(pod.metadata?.uid).toBe(before?.metadata?.uid);
    expect(pod.status?.podIP).toBe(before?.status?.podIP);
    expect((await get(ip, 8080, '/version')).status).toBe(200);
  });

  it('have another address where theirs is taken', async () => {
    await createCluster(emulator, 'moved');
    const before = await kubernetesClients(emulator, 'moved');
    const { port } = new URL(before.config.getCurrentCluster()?.server ?? '');
    await emulator.kill();
    const other = createServer().listen(Number(port), '127.0.0.1');
    await once(other, 'listening');
    try {
      await emulator.restart();
      const { core } = await kubernetesClients(emulator, 'moved');
      expect((await core.listNode()).items).toHaveLength(1);
    } finally {
      other.close();
    }
  });

  it('are created to the end', async () => {
    const { resourceGroup } = emulator.endpoints;
    const { managedClusters } = containerService(emulator);
    await managedClusters.createOrUpdate(resourceGroup, 'interrupted', clusterParameters).submitted();
    await emulator.kill();
    await emulator.restart();
    const state = async () => (await managedClusters.get(resourceGroup, 'interrupted')).provisioningState;
    await until('the cluster', async () => (await state()) === 'Succeeded');
  });
});
