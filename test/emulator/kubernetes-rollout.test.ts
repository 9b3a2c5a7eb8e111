import { PatchStrategy, setHeaderOptions, Watch, type V1Deployment } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmulator, type TestEmulator } from '../fixtures/emulator.js';
import {
  createCluster,
  deployment,
  grantPull,
  kubernetesClients,
  podsOf,
  pushPodImage,
  rolledOut,
  until,
  type KubernetesClients,
} from '../fixtures/kubernetes.js';

const namespace = 'default';
let emulator: TestEmulator;
let clients: KubernetesClients;
let image: string;

beforeAll(async () => {
  emulator = await startEmulator();
  [image] = await Promise.all([pushPodImage(emulator, 'slipway/rollout'), createCluster(emulator, 'rollout')]);
  await grantPull(emulator, 'rollout');
  clients = await kubernetesClients(emulator, 'rollout');
});
afterAll(() => emulator?.stop());

async function patch(name: string, spec: object): Promise<void> {
  const strategic = setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch);
  await clients.apps.patchNamespacedDeployment({ namespace, name, body: { spec } }, strategic);
}

const newVersion = (VERSION: string) => ({
  template: { spec: { containers: [{ name: 'server', env: [{ name: 'VERSION', value: VERSION }] }] } },
});

describe('a Deployment', () => {
  it('rolls without ever having fewer available pods than it asks for', async () => {
    const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
    const body = deployment('rolling', image, { replicas: 2, spec: { strategy } });
    await clients.apps.createNamespacedDeployment({ namespace, body });
    await rolledOut(clients, 'rolling');
    const statuses: NonNullable<V1Deployment['status']>[] = [];
    const watch = await new Watch(clients.config).watch(
      `/apis/apps/v1/namespaces/${namespace}/deployments`,
      { fieldSelector: 'metadata.name=rolling' },
      (_type: string, { status }: V1Deployment) => statuses.push(status ?? {}),
      () => undefined,
    );
    await patch('rolling', newVersion('2'));
    const done = await rolledOut(clients, 'rolling');
    watch.abort();
    expect(Math.min(...statuses.map(({ availableReplicas = 0 }) => availableReplicas))).toBe(2);
    expect(Math.max(...statuses.map(({ replicas = 0 }) => replicas))).toBe(3);
    expect(done.metadata?.annotations?.['deployment.kubernetes.io/revision']).toBe('2');
    expect(done.status?.conditions?.map(({ type, status, reason }) => [type, status, reason])).toEqual([
      ['Available', 'True', 'MinimumReplicasAvailable'],
      ['Progressing', 'True', 'NewReplicaSetAvailable'],
    ]);
    const { items } = await clients.apps.listNamespacedReplicaSet({ namespace, labelSelector: 'app=rolling' });
    expect(items.map(({ spec }) => spec?.replicas).sort()).toEqual([0, 2]);
  });

  it('with Recreate never has two pods at once', async () => {
    const body = deployment('recreated', image, { spec: { strategy: { type: 'Recreate' } } });
    await clients.apps.createNamespacedDeployment({ namespace, body });
    await rolledOut(clients, 'recreated');
    const [first] = await podsOf(clients, 'recreated');
    await patch('recreated', newVersion('2'));
    let most = 0;
    await until('the new pod', async () => {
      const pods = await podsOf(clients, 'recreated');
      most = Math.max(most, pods.length);
      const [pod] = pods;
      return pod?.metadata?.uid !== first?.metadata?.uid && pod?.status?.containerStatuses?.[0]?.ready;
    });
    expect(most).toBe(1);
  });

  it('keeps the old pods when the new ones do not become ready', async () => {
    const body = deployment('held', image, { spec: { progressDeadlineSeconds: 2 } });
    await clients.apps.createNamespacedDeployment({ namespace, body });
    await rolledOut(clients, 'held');
    await patch('held', {
      template: { spec: { containers: [{ name: 'server', env: [{ name: 'NOT_READY', value: '1' }] }] } },
    });
    const status = await until('the deadline', async () => {
      const found = await clients.apps.readNamespacedDeployment({ namespace, name: 'held' });
      const isLate = found.status?.conditions?.some(({ reason }) => reason === 'ProgressDeadlineExceeded');
      return isLate && found.status;
    });
    expect(status).toMatchObject({ availableReplicas: 1, updatedReplicas: 1, unavailableReplicas: 1 });
  });

  it('replaces a pod that is deleted, and scales', async () => {
    await clients.apps.createNamespacedDeployment({ namespace, body: deployment('scaled', image) });
    await rolledOut(clients, 'scaled');
    const [first] = await podsOf(clients, 'scaled');
    await clients.core.deleteNamespacedPod({ namespace, name: first?.metadata?.name ?? '' });
    await until('another pod', async () => {
      const pods = await podsOf(clients, 'scaled');
      return (
        pods.length === 1 && pods[0]?.metadata?.uid !== first?.metadata?.uid && pods[0]?.status?.phase === 'Running'
      );
    });
    await patch('scaled', { replicas: 2 });
    await rolledOut(clients, 'scaled');
    const addresses = (await podsOf(clients, 'scaled')).map(({ status }) => status?.podIP);
    expect(new Set(addresses).size).toBe(2);
  });

  it.each(['Foreground', 'Background'])('takes its ReplicaSets and pods along when deleted (%s)', async (policy) => {
    const name = `gone-${policy.toLowerCase()}`;
    const annotations = { 'slipway.dev/owner': `mark/${name}` };
    await clients.apps.createNamespacedDeployment({ namespace, body: deployment(name, image, { annotations }) });
    await rolledOut(clients, name);
    expect((await emulator.inventory(`mark/${name}`)).map(({ kind }) => kind)).toEqual(['deployment', 'replica-set']);
    await clients.apps.deleteNamespacedDeployment({ namespace, name, propagationPolicy: policy });
    await until('everything to go', async () => {
      const left = await emulator.inventory();
      return left.every((resource) => !resource.name.startsWith(name));
    });
  });
});
