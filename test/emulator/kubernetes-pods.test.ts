import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { Log, type V1Pod } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmulator, type TestEmulator } from '../fixtures/emulator.js';
import {
  createCluster,
  deployment,
  eventsOf,
  get,
  grantPull,
  kubernetesClients,
  podsOf,
  pushPodImage,
  rolledOut,
  until,
  waitingFor,
  type DeploymentOptions,
  type KubernetesClients,
} from '../fixtures/kubernetes.js';

const namespace = 'default';
let emulator: TestEmulator;
let clients: KubernetesClients;
let image: string;

async function run(name: string, options: DeploymentOptions = {}): Promise<V1Pod> {
  await clients.apps.createNamespacedDeployment({ namespace, body: deployment(name, image, options) });
  await rolledOut(clients, name);
  const [pod] = await podsOf(clients, name);
  if (pod === undefined) throw new Error(`${name} has no pod`);
  return pod;
}

async function ask(pod: V1Pod, path: string): Promise<{ status: number; body: string }> {
  return get(pod.status?.podIP ?? '', 8080, path);
}

beforeAll(async () => {
  emulator = await startEmulator();
  [image] = await Promise.all([pushPodImage(emulator, 'slipway/pods'), createCluster(emulator, 'pods')]);
  clients = await kubernetesClients(emulator, 'pods');
});
afterAll(() => emulator?.stop());

describe('a pod whose cluster may not pull', () => {
  it('waits with the reason of the registry, and starts once the right has propagated', async () => {
    await clients.apps.createNamespacedDeployment({ namespace, body: deployment('pulled', image) });
    const waiting = await waitingFor(clients, 'pulled', 'ImagePullBackOff');
    expect(waiting.status?.phase).toBe('Pending');
    expect(waiting.status?.containerStatuses?.[0]?.state?.waiting?.message).toContain('401');
    const events = await eventsOf(clients, waiting.metadata?.name ?? '');
    expect(events.map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(['Scheduled', 'Pulling', 'Failed', 'BackOff']),
    );
    expect(events.find(({ reason, message }) => reason === 'Failed' && message?.includes(image))?.type).toBe('Warning');

    await grantPull(emulator, 'pods');
    await rolledOut(clients, 'pulled');
  });

  it('says that an image does not exist', async () => {
    const body = deployment('missing', image.replace(/:1$/, ':none'));
    await clients.apps.createNamespacedDeployment({ namespace, body });
    const pod = await waitingFor(clients, 'missing', 'ErrImagePull', 'ImagePullBackOff');
    expect(pod.status?.containerStatuses?.[0]?.state?.waiting?.message).toContain('404');
    await clients.apps.deleteNamespacedDeployment({ namespace, name: 'missing' });
  });
});

describe('a pod that runs', () => {
  it('sees the image and nothing else, as the user that the image names', async () => {
    const pod = await run('self', { env: { EXTRA: 'x-$(GREETING)' } });
    const seen = JSON.parse((await ask(pod, '/self')).body) as Record<string, unknown>;
    expect(seen).toMatchObject({ uid: 1000, gid: 1000, pid: 1, cwd: '/app' });
    expect(seen.root).toEqual(expect.arrayContaining(['app', 'usr']));
    expect(seen.root).not.toContain('home');
    expect(seen.env).toEqual({
      PATH: expect.any(String) as string,
      HOME: '/',
      GREETING: 'hello',
      EXTRA: 'x-hello',
      HOST: pod.status?.podIP,
      HOSTNAME: pod.metadata?.name,
      KUBERNETES_SERVICE_HOST: '10.0.0.1',
      KUBERNETES_SERVICE_PORT: '443',
    });
    expect((await ask(pod, `/file?path=${import.meta.filename}`)).status).toBe(404);
    expect((await ask(pod, '/file?path=/etc/hosts')).body).toContain(pod.metadata?.name);
  });

  it('cannot change what it shares with others; as root it changes only its own copy', async () => {
    const plain = await run('reader');
    expect(await ask(plain, '/write?path=/app/server.mjs')).toEqual({ status: 403, body: 'EACCES' });
    const root = await run('writer', { container: { securityContext: { runAsUser: 0, runAsGroup: 0 } } });
    expect((await ask(root, '/write?path=/app/server.mjs')).status).toBe(200);
    expect((await ask(plain, '/file?path=/app/server.mjs')).body).toContain('createServer');
  });

  it('writes to volumes only where its root is read-only, and is not root where that is forbidden', async () => {
    const securityContext = { runAsUser: 0, readOnlyRootFilesystem: true };
    const volumeMounts = [{ name: 'scratch', mountPath: '/scratch' }];
    const pod = { volumes: [{ name: 'scratch', emptyDir: {} }] };
    const fixed = await run('fixed', { container: { securityContext, volumeMounts }, pod });
    expect(await ask(fixed, '/write?path=/tmp/note')).toEqual({ status: 403, body: 'EROFS' });
    expect((await ask(fixed, '/write?path=/scratch/note')).status).toBe(200);

    const container = { securityContext: { runAsUser: 0, runAsNonRoot: true } };
    await clients.apps.createNamespacedDeployment({ namespace, body: deployment('rooted', image, { container }) });
    await waitingFor(clients, 'rooted', 'CreateContainerConfigError');
    await clients.apps.deleteNamespacedDeployment({ namespace, name: 'rooted' });
  });

  it('gets Secrets and ConfigMaps as variables and files, and new content of files', async () => {
    const { core } = clients;
    await core.createNamespacedSecret({
      namespace,
      body: { metadata: { name: 'keys' }, stringData: { primary: 'one' } },
    });
    await core.createNamespacedConfigMap({
      namespace,
      body: { metadata: { name: 'settings' }, data: { mode: 'fast' } },
    });
    const pod = await run('mounted', {
      container: {
        env: [
          { name: 'KEY', valueFrom: { secretKeyRef: { name: 'keys', key: 'primary' } } },
          { name: 'MODE', valueFrom: { configMapKeyRef: { name: 'settings', key: 'mode' } } },
          { name: 'WHERE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
        ],
        volumeMounts: [
          { name: 'keys', mountPath: '/etc/keys' },
          { name: 'scratch', mountPath: '/scratch' },
        ],
      },
      pod: {
        volumes: [
          { name: 'keys', secret: { secretName: 'keys' } },
          { name: 'scratch', emptyDir: {} },
        ],
      },
    });
    const { env } = JSON.parse((await ask(pod, '/self')).body) as { env: Record<string, string> };
    expect(env).toMatchObject({ KEY: 'one', MODE: 'fast', WHERE: namespace });
    expect((await ask(pod, '/file?path=/etc/keys/primary')).body).toBe('one');
    expect((await ask(pod, '/write?path=/scratch/note')).status).toBe(200);
    const patch = [{ op: 'replace', path: '/data/primary', value: Buffer.from('two').toString('base64') }];
    await core.patchNamespacedSecret({ namespace, name: 'keys', body: patch });
    await until('the new key', async () => (await ask(pod, '/file?path=/etc/keys/primary')).body === 'two');
  });

  it('has a log that can be read to its tail and followed', async () => {
    const pod = await run('logged');
    const name = pod.metadata?.name ?? '';
    const line = `version 1 listens on ${pod.status?.podIP}:8080\n`;
    expect(await clients.core.readNamespacedPodLog({ namespace, name, tailLines: 1 })).toBe(line);
    const stream = new PassThrough();
    let text = '';
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await new Log(clients.config).log(namespace, name, 'server', stream, { follow: true });
    await clients.core.deleteNamespacedPod({ namespace, name });
    await until('the last line', () => text === `${line}asked to end\n`);
  });

  it('is started again when it ends, and is told apart from one that cannot run', async () => {
    const pod = await run('restarted');
    await ask(pod, '/exit');
    const again = await until('the restart', async () => {
      const [current] = await podsOf(clients, 'restarted');
      const status = current?.status?.containerStatuses?.[0];
      return status?.restartCount === 1 && status.ready && current;
    });
    expect(again.status?.containerStatuses?.[0]?.lastState?.terminated).toMatchObject({ exitCode: 7, reason: 'Error' });
  });

  it('is asked to end when deleted, and leaves no process', async () => {
    const pod = await run('deleted');
    await clients.apps.deleteNamespacedDeployment({ namespace, name: 'deleted' });
    await until('the pod to go', async () => (await podsOf(clients, 'deleted')).length === 0);
    await expect(ask(pod, '/ready')).rejects.toThrow('ECONNREFUSED');
    const kinds = (await emulator.inventory()).filter(({ name }) => name.startsWith('deleted')).map(({ kind }) => kind);
    expect(kinds).toEqual([]);
  });
});

it('pods that are deleted while their containers are made are gone', async () => {
  const pods = Array.from({ length: 12 }, (_, index) => `early-${index}`);
  const { template } = deployment('early', image).spec ?? {};
  // One after the other, so that each is met at another point of its start.
  for (const name of pods) {
    await clients.core.createNamespacedPod({
      namespace,
      body: { metadata: { name, labels: { app: 'early' } }, spec: template?.spec } as V1Pod,
    });
    await delay(20 * pods.indexOf(name));
    await clients.core.deleteNamespacedPod({ namespace, name, gracePeriodSeconds: 1 });
  }
  await until('their end', async () => (await podsOf(clients, 'early')).length === 0);
});

describe('a pod that cannot run', () => {
  it('is in CrashLoopBackOff with its exit code and its last lines', async () => {
    await clients.apps.createNamespacedDeployment({
      namespace,
      body: deployment('crash', image, { env: { CRASH: '1' } }),
    });
    const pod = await waitingFor(clients, 'crash', 'CrashLoopBackOff');
    const terminated = pod.status?.containerStatuses?.[0]?.lastState?.terminated;
    expect(terminated).toMatchObject({ exitCode: 3, reason: 'Error' });
    expect(terminated?.message).toContain('cannot load the model');
    const log = await clients.core.readNamespacedPodLog({ namespace, name: pod.metadata?.name ?? '', tailLines: 1 });
    expect(log).toBe('cannot load the model\n');
    await clients.apps.deleteNamespacedDeployment({ namespace, name: 'crash' });
  });

  it('names a program that the image does not have', async () => {
    const body = deployment('nothing', image, { container: { command: ['/no/such/program'] } });
    await clients.apps.createNamespacedDeployment({ namespace, body });
    const pod = await waitingFor(clients, 'nothing', 'RunContainerError', 'CrashLoopBackOff');
    const said = await eventsOf(clients, pod.metadata?.name ?? '');
    expect(said.some(({ message }) => message?.includes('exec: "/no/such/program": no such file'))).toBe(true);
    await clients.apps.deleteNamespacedDeployment({ namespace, name: 'nothing' });
  });

  it('stays Pending where no node has room', async () => {
    const container = { resources: { requests: { cpu: '64' } } };
    await clients.apps.createNamespacedDeployment({ namespace, body: deployment('huge', image, { container }) });
    const pod = await until('the refusal', async () => {
      const [found] = await podsOf(clients, 'huge');
      return found?.status?.conditions?.some(({ reason }) => reason === 'Unschedulable') && found;
    });
    const [event] = (await eventsOf(clients, pod.metadata?.name ?? '')).filter(({ type }) => type === 'Warning');
    expect(event).toMatchObject({
      reason: 'FailedScheduling',
      message: '0/1 nodes are available: 1 Insufficient cpu.',
    });
    expect(pod.status?.phase).toBe('Pending');
  });

  it('runs without being ready while its readiness probe fails, and says so', async () => {
    const body = deployment('unready', image, { env: { NOT_READY: '1' }, spec: { progressDeadlineSeconds: 2 } });
    await clients.apps.createNamespacedDeployment({ namespace, body });
    const failed = await until('the deadline', async () => {
      const { status } = await clients.apps.readNamespacedDeployment({ namespace, name: 'unready' });
      return status?.conditions?.find(({ type, status: state }) => type === 'Progressing' && state === 'False');
    });
    expect(failed.reason).toBe('ProgressDeadlineExceeded');
    const [pod] = await podsOf(clients, 'unready');
    expect(pod?.status).toMatchObject({ phase: 'Running', containerStatuses: [{ ready: false, restartCount: 0 }] });
    const events = await eventsOf(clients, pod?.metadata?.name ?? '');
    const unhealthy = events.filter(({ reason }) => reason === 'Unhealthy').map(({ message }) => message);
    expect(unhealthy).toContain('Readiness probe failed: HTTP probe failed with statuscode: 503 (not ready)');
  });
});
