import {
  ApiException,
  PatchStrategy,
  setHeaderOptions,
  Watch,
  type AppsV1Api,
  type CoreV1Api,
  type V1ConfigMap,
  type V1Deployment,
  type V1Status,
} from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmulator, type TestEmulator } from '../fixtures/emulator.js';
import {
  createCluster,
  deployment,
  getJson,
  kubernetesClients,
  until,
  type KubernetesClients,
} from '../fixtures/kubernetes.js';

const namespace = 'default';
let emulator: TestEmulator;
let clients: KubernetesClients;
let core: CoreV1Api;
let apps: AppsV1Api;

beforeAll(async () => {
  emulator = await startEmulator();
  await createCluster(emulator, 'api');
  clients = await kubernetesClients(emulator, 'api');
  ({ core, apps } = clients);
});
afterAll(() => emulator?.stop());

/** The Status of a call that is refused. */
async function refusal(call: Promise<unknown>): Promise<V1Status> {
  try {
    await call;
  } catch (error) {
    if (error instanceof ApiException) return JSON.parse(error.body as string) as V1Status;
    throw error;
  }
  throw new Error('the call was not refused');
}

function createConfigMap(name: string, body: Partial<V1ConfigMap> = {}): Promise<V1ConfigMap> {
  return core.createNamespacedConfigMap({ namespace, body: { metadata: { name }, data: { a: '1' }, ...body } });
}

/** A Deployment that starts nothing. */
const idle = (name: string, change: (body: V1Deployment) => void = () => undefined): V1Deployment => {
  const body = deployment(name, 'registry.example.com/app:1', { replicas: 0 });
  change(body);
  return body;
};

describe('the Kubernetes API', () => {
  it('says what it serves, and lets nobody in without the token', async () => {
    const { config } = clients;
    const call = (path: string, bearer?: string) => getJson(config, path, bearer);
    const token = config.getCurrentUser()?.token;
    expect(await call('/version')).toMatchObject({ status: 200, body: { major: '1' } });
    expect(await call('/api/v1/namespaces/default/secrets')).toMatchObject({
      status: 401,
      body: { reason: 'Unauthorized' },
    });
    expect(await call('/apis', token)).toMatchObject({ body: { kind: 'APIGroupList' } });
    const { body } = await call('/apis/apps/v1', token);
    const names = (body as { resources: { name: string }[] }).resources.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['deployments', 'deployments/scale', 'replicasets']));
    expect(await call('/apis/nosuch/v1', token)).toMatchObject({ status: 404, body: { kind: 'Status' } });
  });

  it('fills in what the server knows, and defaults', async () => {
    const created = await apps.createNamespacedDeployment({ namespace, body: idle('defaults') });
    expect(created.metadata).toMatchObject({ generation: 1, namespace });
    expect(created.metadata?.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(created.spec).toMatchObject({
      progressDeadlineSeconds: 600,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
    });
    expect(created.spec?.template.spec?.containers[0]).toMatchObject({ imagePullPolicy: 'IfNotPresent' });
    const generated = await core.createNamespacedConfigMap({
      namespace,
      body: { metadata: { generateName: 'made-' } },
    });
    expect(generated.metadata?.name).toMatch(/^made-[a-z0-9]{5}$/);
  });

  it.each([
    ['an unknown object', () => core.readNamespacedSecret({ namespace, name: 'none' }), 404, 'NotFound'],
    ['a name that is taken', () => createConfigMap('taken'), 409, 'AlreadyExists'],
    ['a bad name', () => createConfigMap('Bad_Name'), 422, 'Invalid'],
    ['an unknown namespace', () => core.createNamespacedConfigMap({ namespace: 'none', body: {} }), 404, 'NotFound'],
  ])('refuses %s', async (_what, call, code, reason) => {
    await createConfigMap('taken').catch(() => undefined);
    expect(await refusal(call())).toMatchObject({ kind: 'Status', status: 'Failure', code, reason });
  });

  it.each<[string, (body: V1Deployment) => void, string]>([
    ['a missing selector', ({ spec }) => void (spec!.selector = {}), 'spec.selector'],
    [
      'a selector that does not select the pods',
      ({ spec }) => void (spec!.template.metadata = { labels: { app: 'other' } }),
      'spec.template.metadata.labels',
    ],
    ['no containers', ({ spec }) => void (spec!.template.spec!.containers = []), 'spec.template.spec.containers'],
    [
      'a mount of no volume',
      ({ spec }) => void (spec!.template.spec!.containers[0]!.volumeMounts = [{ name: 'no', mountPath: '/x' }]),
      'spec.template.spec.containers[0].volumeMounts[0].name',
    ],
    ['a label that is none', ({ metadata }) => void (metadata!.labels = { a: 'not valid!' }), 'metadata.labels'],
  ])('refuses a Deployment with %s, naming the field', async (_what, change, field) => {
    const body = idle('refused', change);
    const status = await refusal(apps.createNamespacedDeployment({ namespace, body }));
    expect(status).toMatchObject({ code: 422, details: { causes: [{ field }] } });
  });

  it('takes a write only on the version that it is based on', async () => {
    const first = await createConfigMap('versions');
    const second = await core.replaceNamespacedConfigMap({
      namespace,
      name: 'versions',
      body: { ...first, data: { a: '2' } },
    });
    expect(second.metadata?.resourceVersion).not.toBe(first.metadata?.resourceVersion);
    const stale = core.replaceNamespacedConfigMap({
      namespace,
      name: 'versions',
      body: { ...first, data: { a: '3' } },
    });
    expect(await refusal(stale)).toMatchObject({ code: 409, reason: 'Conflict' });
    const wrongUid = { preconditions: { uid: 'another' } };
    const unwanted = core.deleteNamespacedConfigMap({ namespace, name: 'versions', body: wrongUid });
    expect(await refusal(unwanted)).toMatchObject({ code: 409 });
  });

  it('tells in its journal which writes changed nothing, and keeps their version', async () => {
    const { metadata } = await createConfigMap('same');
    const replace = (data: Record<string, string>) =>
      core.replaceNamespacedConfigMap({ namespace, name: 'same', body: { metadata: { name: 'same' }, data } });
    expect((await replace({ a: '1' })).metadata?.resourceVersion).toBe(metadata?.resourceVersion);
    await replace({ a: '2' });
    await core.deleteNamespacedConfigMap({ namespace, name: 'same' });
    const effects = (await emulator.journal()).filter(({ effect }) => effect?.id.endsWith('/configmaps/same'));
    expect(effects.map(({ service, effect }) => [service, effect?.change, effect?.kind])).toEqual([
      ['kubernetes', 'created', 'config-map'],
      ['kubernetes', 'unchanged', 'config-map'],
      ['kubernetes', 'updated', 'config-map'],
      ['kubernetes', 'deleted', 'config-map'],
    ]);
  });

  it('patches by each of the three ways', async () => {
    await createConfigMap('patched', { data: { a: '1', b: '2' } });
    const patch = (body: object, strategy: (typeof PatchStrategy)[keyof typeof PatchStrategy]) =>
      core.patchNamespacedConfigMap({ namespace, name: 'patched', body }, setHeaderOptions('Content-Type', strategy));
    expect((await patch({ data: { a: null, c: '3' } }, PatchStrategy.MergePatch)).data).toEqual({ b: '2', c: '3' });
    const operations = [
      { op: 'test', path: '/data/b', value: '2' },
      { op: 'add', path: '/data/d', value: '4' },
    ];
    expect((await patch(operations, PatchStrategy.JsonPatch)).data).toEqual({ b: '2', c: '3', d: '4' });
    const failing = [{ op: 'test', path: '/data/b', value: 'other' }];
    expect(await refusal(patch(failing, PatchStrategy.JsonPatch))).toMatchObject({ code: 422 });

    await apps.createNamespacedDeployment({ namespace, body: idle('merged') });
    const spec = { template: { spec: { containers: [{ name: 'server', env: [{ name: 'B', value: '2' }] }] } } };
    const strategic = setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch);
    const merged = await apps.patchNamespacedDeployment({ namespace, name: 'merged', body: { spec } }, strategic);
    expect(merged.spec?.template.spec?.containers).toMatchObject([
      { name: 'server', image: 'registry.example.com/app:1', env: [{ name: 'B', value: '2' }] },
    ]);
    expect(merged.metadata?.generation).toBe(2);
  });

  it('selects by labels and fields', async () => {
    await createConfigMap('web-1', { metadata: { name: 'web-1', labels: { tier: 'web', env: 'prod' } } });
    await createConfigMap('web-2', { metadata: { name: 'web-2', labels: { tier: 'web', env: 'dev' } } });
    await createConfigMap('db-1', { metadata: { name: 'db-1', labels: { tier: 'db', env: 'prod' } } });
    const names = async (labelSelector: string, fieldSelector?: string) => {
      const found = await core.listNamespacedConfigMap({
        namespace,
        labelSelector,
        ...(fieldSelector && { fieldSelector }),
      });
      return found.items.map(({ metadata }) => metadata?.name);
    };
    expect(await names('tier=web')).toEqual(['web-1', 'web-2']);
    expect(await names('tier in (web, db),env!=dev')).toEqual(['db-1', 'web-1']);
    expect(await names('tier,!none')).toEqual(['db-1', 'web-1', 'web-2']);
    expect(await names('tier=web', 'metadata.name!=web-1')).toEqual(['web-2']);
    expect(await refusal(names('tier=(web'))).toMatchObject({ code: 400, reason: 'BadRequest' });
  });

  it('shows every change to a watch, from the version that it names on', async () => {
    const { metadata: list } = await core.listNamespacedConfigMap({ namespace });
    await createConfigMap('watched');
    const seen: string[] = [];
    const query = { resourceVersion: list?.resourceVersion, fieldSelector: 'metadata.name=watched' };
    const watch = await new Watch(clients.config).watch(
      `/api/v1/namespaces/${namespace}/configmaps`,
      query,
      (type: string) => seen.push(type),
      () => undefined,
    );
    await core.replaceNamespacedConfigMap({
      namespace,
      name: 'watched',
      body: { metadata: { name: 'watched' }, data: { a: '2' } },
    });
    await core.deleteNamespacedConfigMap({ namespace, name: 'watched' });
    await until('three events', () => seen.length === 3);
    watch.abort();
    expect(seen).toEqual(['ADDED', 'MODIFIED', 'DELETED']);
  });

  it('takes along what an object owns when that goes', async () => {
    const owner = await createConfigMap('owner');
    const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: owner.metadata?.uid ?? '' };
    await createConfigMap('owned', { metadata: { name: 'owned', ownerReferences: [reference] } });
    await core.deleteNamespacedConfigMap({ namespace, name: 'owner' });
    const isGone = (name: string) =>
      core.readNamespacedConfigMap({ namespace, name }).then(
        () => false,
        () => true,
      );
    await until('the dependent to go', () => isGone('owned'));
  });
});
