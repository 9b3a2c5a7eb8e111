import { afterEach, beforeAll, afterAll, describe, expect, it } from 'vitest';
import { clusterParameters, containerService, until } from '../fixtures/kubernetes.js';
import { armClients, startEmulator, type TestEmulator } from '../fixtures/emulator.js';

/** Far over what any operation takes here, and far under what a token lives. */
const LONG_SECONDS = 300;

let azure: TestEmulator;
let models: string;

beforeAll(async () => {
  azure = await startEmulator();
  const { subscriptionId, resourceGroup } = azure.endpoints;
  const group = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}`;
  models = `${group}/providers/Microsoft.MachineLearningServices/workspaces/slipway/models`;
});
afterAll(() => azure.stop());
afterEach(() => azure.clearFaults());

const body = {
  properties: { modelUri: 'azureml://datastores/workspaceblobstore/paths/x', tags: { 'slipway-owner': 'a/b' } },
};
const put = (name: string) => azure.call('PUT', `${models}/${name}/versions/1?api-version=2022-10-01`, { body });
const get = (name: string) => azure.call('GET', `${models}/${name}/versions/1?api-version=2022-10-01`);

describe('a fault before the handler', () => {
  it('answers in its place, with status, code and headers, and leaves no effect', async () => {
    const seq = await azure.lastSeq();
    const then = { status: 429, code: 'TooManyRequests', headers: { 'retry-after': '7' } };
    await azure.inject({ name: 'busy', match: { method: 'PUT', path: '/models/before/' }, when: 'before', then });
    const reply = await put('before');
    expect(reply).toMatchObject({
      status: 429,
      headers: { 'retry-after': '7' },
      body: { error: { code: 'TooManyRequests' } },
    });
    expect(await get('before')).toMatchObject({ status: 404 });
    expect(await put('before')).toMatchObject({ status: 201 });
    const entries = (await azure.journal(seq)).filter(({ method }) => method === 'PUT');
    expect(entries).toMatchObject([
      { status: 429, fault: 'busy' },
      { status: 201, effect: { change: 'created' } },
    ]);
    expect(entries[0]?.effect).toBeUndefined();
  });

  it('cuts the connection', async () => {
    await azure.inject({ name: 'cut', match: { path: '/models/cut/' }, when: 'before', then: { reset: true } });
    await expect(put('cut')).rejects.toThrow();
    expect(await get('cut')).toMatchObject({ status: 404 });
  });

  it.each([
    { nth: 2, times: 1, statuses: [201, 503, 200, 200] },
    { nth: 1, times: 2, statuses: [503, 503, 201, 200] },
    { nth: 3, times: 0, statuses: [201, 200, 503, 503] },
  ])('hits $times calls from call $nth on', async ({ nth, times, statuses }) => {
    const path = `/models/counted-${nth}/`;
    await azure.inject({ name: 'counted', match: { path, nth }, times, when: 'before', then: { status: 503 } });
    const seen = [];
    for (let call = 0; call < statuses.length; call += 1) seen.push((await put(`counted-${nth}`)).status);
    expect(seen).toEqual(statuses);
    expect(await azure.fired()).toEqual({ counted: statuses.filter((status) => status === 503).length });
  });
});

describe('a fault with a probability', () => {
  const name = 'seldom';
  const statuses = async (seed: number, times = 0): Promise<number[]> => {
    const match = { path: '/models/seldom/', probability: 0.4, seed };
    await azure.inject({ name, match, times, when: 'before', then: { status: 503 } });
    const seen = [];
    for (let call = 0; call < 20; call += 1) seen.push((await get(name)).status);
    return seen;
  };

  it('hits the same calls each time, and others with another seed', async () => {
    const first = await statuses(1);
    const hits = first.filter((status) => status === 503).length;
    expect(await azure.fired()).toEqual({ [name]: hits });
    expect(hits).toBeGreaterThan(0);
    expect(hits).toBeLessThan(20);
    expect(await statuses(1)).toEqual(first);
    expect(await statuses(2)).not.toEqual(first);
  });

  it('hits as many as it is told to', async () => {
    expect((await statuses(1, 2)).filter((status) => status === 503)).toHaveLength(2);
  });
});

describe('a fault in an operation', () => {
  const clusters = () => containerService(azure).managedClusters;
  const begin = (name: string) =>
    clusters().createOrUpdate(azure.endpoints.resourceGroup, name, clusterParameters).submitted();
  const state = async (name: string) =>
    (await clusters().get(azure.endpoints.resourceGroup, name)).provisioningState ?? '';
  const put = (name: string) => ({ method: 'PUT', path: `/managedClusters/${name}$` });

  it('lets it fail with a code', async () => {
    const then = { code: 'AllocationFailed', message: 'No room.' };
    await azure.inject({ name: 'fails', match: put('fails'), when: 'operation', then });
    await begin('fails');
    await until('the end', async () => (await state('fails')) !== 'Creating');
    expect(await clusters().get(azure.endpoints.resourceGroup, 'fails')).toMatchObject({
      provisioningState: 'Failed',
      status: { provisioningError: then },
    });
  });

  it('lets it get stuck', async () => {
    await azure.inject({ name: 'stuck', match: put('stuck'), when: 'operation', then: { stuck: true } });
    await begin('stuck');
    await azure.advance(LONG_SECONDS);
    expect(await state('stuck')).toBe('Creating');
  });

  it('lets a cluster be Updating again once it has been seen as Succeeded', async () => {
    const stays = { method: 'GET', path: '/managedClusters/relapses$', state: 'Succeeded' };
    await azure.inject({ name: 'relapses', match: put('relapses'), when: 'operation', then: { relapse: true } });
    await azure.inject({ name: 'stays', match: stays, when: 'operation', then: { stuck: true } });
    await begin('relapses');
    await until('success', async () => (await state('relapses')) === 'Succeeded');
    expect(await state('relapses')).toBe('Updating');
    await azure.advance(LONG_SECONDS);
    expect(await state('relapses')).toBe('Updating');
  });

  it('lets a cluster that is Updating again succeed for good', async () => {
    await azure.inject({ name: 'relapses', match: put('recovers'), when: 'operation', then: { relapse: true } });
    await begin('recovers');
    await until('success', async () => (await state('recovers')) === 'Succeeded');
    await until('the update to end', async () => (await state('recovers')) === 'Succeeded');
    await azure.advance(LONG_SECONDS);
    expect(await state('recovers')).toBe('Succeeded');
  });

  it('is met in the state that it waits for only', async () => {
    await azure.inject({ name: 'stuck', match: put('waits'), when: 'operation', then: { stuck: true } });
    await begin('waits');
    for (const expected of ['Succeeded', 'Creating']) {
      const match = { method: 'GET', path: '/managedClusters/waits$', state: expected };
      await azure.inject({ name: expected, match, when: 'before', then: { status: 503 } });
      if (expected === 'Succeeded') expect(await state('waits')).toBe('Creating');
      else await expect(state('waits')).rejects.toMatchObject({ statusCode: 503 });
    }
  });
});

describe('a fault after the handler', () => {
  it('loses the reply of a call that has its effect; the repeat changes nothing', async () => {
    const seq = await azure.lastSeq();
    await azure.inject({
      name: 'lost',
      match: { method: 'PUT', path: '/models/after/' },
      when: 'after',
      then: { reset: true },
    });
    await expect(put('after')).rejects.toThrow();
    expect(await put('after')).toMatchObject({ status: 200 });
    const puts = (await azure.journal(seq)).filter(({ method }) => method === 'PUT');
    expect(puts).toMatchObject([
      { status: 0, fault: 'lost', effect: { change: 'created', kind: 'model-version' } },
      { status: 200, effect: { change: 'unchanged' } },
    ]);
  });

  it('answers with another status', async () => {
    await azure.inject({ name: 'late', match: { path: '/models/late/' }, when: 'after', then: { status: 504 } });
    expect(await put('late')).toMatchObject({ status: 504 });
    expect(await get('late')).toMatchObject({ status: 200 });
  });
});

describe('a fault in the reply', () => {
  it('breaks the body off in the middle', async () => {
    await azure.inject({ name: 'half', match: { path: '/models/half/' }, when: 'after', then: { truncate: true } });
    await expect(put('half')).rejects.toThrow(/aborted/);
    expect(await get('half')).toMatchObject({ status: 200 });
  });

  it('holds it back', async () => {
    await azure.inject({ name: 'slow', match: { path: '/models/slow/' }, when: 'after', then: { delayMs: 300 } });
    const started = performance.now();
    expect(await put('slow')).toMatchObject({ status: 201 });
    expect(performance.now() - started).toBeGreaterThan(290);
  });
});

describe('the admin interface', () => {
  it('refuses a fault that makes no sense, and says why', async () => {
    const reply = await azure.call('POST', '/_emulator/faults', {
      body: { name: 'x', match: { path: '(' }, when: 'later' },
    });
    expect(reply.status).toBe(400);
    expect(JSON.stringify(reply.body)).toMatch(/regular expression/);
  });

  it('lists what lives by its owner', async () => {
    await put('owned');
    const { resourceGroup } = azure.endpoints;
    expect(await azure.inventory('a/b')).toContainEqual(
      expect.objectContaining({ kind: 'model-version', name: 'owned:1' }),
    );
    await armClients(azure).machineLearning.modelVersions.delete(resourceGroup, 'slipway', 'owned', '1');
    expect(await azure.inventory('a/b')).not.toContainEqual(expect.objectContaining({ name: 'owned:1' }));
    expect((await azure.inventory()).map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['resource-group', 'storage-account', 'container-registry', 'workspace', 'compute']),
    );
  });

  it('is in no journal itself', async () => {
    const seq = await azure.lastSeq();
    await azure.inventory();
    await azure.call('GET', '/healthz');
    expect(await azure.journal(seq)).toEqual([]);
  });
});
