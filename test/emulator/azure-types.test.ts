import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AzureTypes, azureTypesAreHere, type Check } from '../fixtures/azure-types.js';
import { startEmulator, type TestEmulator } from '../fixtures/emulator.js';

const LOOK_MS = 20;

function bodiesLikeAzures() {
  let azure: TestEmulator;
  let group: string;

  beforeAll(async () => {
    azure = await startEmulator();
    group = `/subscriptions/${azure.endpoints.subscriptionId}/resourceGroups/${azure.endpoints.resourceGroup}/providers`;
  });
  afterAll(() => azure?.stop());

  /** A resource whose every answer is checked on the way, and its collection beside it. */
  class Resource {
    /** The states in which it was seen. */
    readonly states: string[] = [];

    constructor(
      private readonly path: string,
      private readonly apiVersion: string,
      private readonly check: Check,
    ) {}

    async put(body: unknown): Promise<void> {
      this.see('PUT', await this.call('PUT', body));
    }

    /** Waits until it is in one of those states. */
    async settle(...ends: string[]): Promise<void> {
      while (!ends.includes(await this.look())) await delay(LOOK_MS);
    }

    /** Checks it by itself and in its list; returns its state, empty where it has none. */
    async look(): Promise<string> {
      const state = this.see('GET', await this.call('GET'));
      const { body } = await azure.call('GET', `${this.path.replace(/\/[^/]+$/, '')}?api-version=${this.apiVersion}`);
      const { value } = body as { value: unknown[] };
      expect(value).not.toEqual([]);
      for (const item of value) this.see('LIST', { status: 200, body: item });
      return state;
    }

    async send(method: string, action = ''): Promise<unknown> {
      const reply = await azure.call(method, `${this.path}${action}?api-version=${this.apiVersion}`);
      expect(reply.status, `${method} ${this.path}${action}`).toBeLessThan(300);
      return reply.body;
    }

    private call(method: string, body?: unknown) {
      return azure.call(method, `${this.path}?api-version=${this.apiVersion}`, body === undefined ? {} : { body });
    }

    private see(method: string, { status, body }: { status: number; body: unknown }): string {
      expect(status, `${method} ${this.path}: ${JSON.stringify(body)}`).toBeLessThan(300);
      expect(this.check(body), `${method} ${this.path}`).toEqual([]);
      const { properties } = body as { properties?: { provisioningState?: string; status?: unknown } };
      const { provisioningState = '', status: jobStatus } = properties ?? {};
      const state = typeof jobStatus === 'string' ? jobStatus : provisioningState;
      if (method !== 'LIST' && this.states.at(-1) !== state) this.states.push(state);
      return state;
    }
  }

  describe('Machine Learning', () => {
    const version = '2022-10-01';
    const namespace = 'Microsoft.MachineLearningServices/workspaces';
    const types = new AzureTypes(`machinelearningservices-${version}`);
    const workspace = () => `${group}/${namespace}/slipway`;
    const resource = (type: string, name: string) =>
      new Resource(`${workspace()}/${name}`, version, types.resource(`${namespace}/${type}`));

    it('a workspace', async () => {
      const own = new Resource(`${group}/${namespace}/typed`, version, types.resource(namespace));
      const storageAccount = `${group}/Microsoft.Storage/storageAccounts/slipwaylocal`;
      await own.put({ location: 'eastus', tags: { a: 'b' }, properties: { storageAccount, description: 'typed' } });
      await own.look();
    });

    it('datastores and their secrets', async () => {
      const store = resource('datastores', 'datastores/workspaceblobstore');
      await store.look();
      const secrets = await store.send('POST', '/listSecrets');
      expect(types.action(`${namespace}/datastores`, 'listSecrets')(secrets)).toEqual([]);
    });

    it('computes', async () => {
      await resource('computes', 'computes/cpu-cluster').look();
      const own = resource('computes', 'computes/typed');
      const properties = { vmSize: 'Standard_DS3_v2', scaleSettings: { maxNodeCount: 1 } };
      const body = { location: 'eastus', properties: { computeType: 'AmlCompute', properties } };
      await own.put(body);
      await own.settle('Succeeded');
      const match = { method: 'PUT', path: '/computes/typed$' };
      await azure.inject({ name: 'compute', match, when: 'operation', then: { code: 'Broken' } });
      await own.put(body);
      await own.settle('Failed');
    });

    it.each([
      ['models', { modelUri: 'azureml://datastores/workspaceblobstore/paths/a', modelType: 'custom_model' }],
      ['environments', { image: 'mcr.example/base@sha256:0', condaFile: 'dependencies: [python=3.11, pip]\n' }],
      ['codes', { codeUri: 'https://account.example/container/path' }],
    ])('%s and their versions', async (type, properties) => {
      await resource(`${type}/versions`, `${type}/typed/versions/1`).put({ properties });
      const container = resource(type, `${type}/typed`);
      await container.put({ properties: { description: 'typed', tags: { a: 'b' } } });
      await container.look();
      await resource(`${type}/versions`, `${type}/typed/versions/1`).look();
    });

    it('jobs, in all their states', async () => {
      const environment = resource('environments/versions', 'environments/bare/versions/1');
      await environment.put({ properties: { image: 'mcr.example/base@sha256:0', condaFile: 'dependencies: []\n' } });
      const properties = {
        jobType: 'Command',
        command: 'true',
        environmentId: `${workspace()}/environments/bare/versions/1`,
        computeId: `${workspace()}/computes/cpu-cluster`,
        inputs: { text: { jobInputType: 'literal', value: 'a' } },
        outputs: { out: { jobOutputType: 'uri_folder', mode: 'ReadWriteMount' } },
        limits: { jobLimitsType: 'Command', timeout: 'PT10M' },
        tags: { a: 'b' },
      };
      const check = types.resource(`${namespace}/jobs`);
      const job = (name: string) =>
        new Resource(`${workspace()}/jobs/${name}`, version, (body) => check(withoutError(body)));
      const [done, failed, canceled] = [job('done'), job('failed'), job('canceled')];
      await done.put({ properties });
      await failed.put({ properties: { ...properties, command: 'exit 3' } });
      await canceled.put({ properties: { ...properties, command: 'sleep 600' } });
      await canceled.settle('Running');
      await canceled.send('POST', '/cancel');
      await canceled.settle('Canceled');
      await done.settle('Completed');
      await failed.settle('Failed');
    });
  });

  it('Container Service: clusters and their pools, in all their states', async () => {
    const version = '2026-05-01';
    const namespace = 'Microsoft.ContainerService/managedClusters';
    const types = new AzureTypes(`containerservice-${version}`);
    const cluster = new Resource(`${group}/${namespace}/typed`, version, types.resource(namespace));
    const pool = new Resource(
      `${group}/${namespace}/typed/agentPools/nodes`,
      version,
      types.resource(`${namespace}/agentPools`),
    );
    const body = (count: number) => ({
      location: 'eastus',
      tags: { a: 'b' },
      identity: { type: 'SystemAssigned' },
      properties: { dnsPrefix: 'typed', agentPoolProfiles: [{ name: 'nodes', mode: 'System', count }] },
    });
    const settle = async (...states: string[]) => {
      await cluster.settle(...states);
      await pool.look();
    };
    const path = `/managedClusters/typed$`;
    await azure.inject({ name: 'fails', match: { method: 'PUT', path }, when: 'operation', then: { code: 'Broken' } });
    await cluster.put(body(1));
    await pool.look();
    await settle('Failed');
    await cluster.put(body(1));
    await settle('Succeeded');
    for (const role of ['User', 'Admin']) {
      const credentials = await cluster.send('POST', `/listCluster${role}Credential`);
      expect(types.action(namespace, `listCluster${role}Credential`)(credentials)).toEqual([]);
    }
    await azure.inject({ name: 'stays', match: { method: 'PUT', path }, when: 'operation', then: { stuck: true } });
    await cluster.put(body(2));
    await settle('Updating');
    await cluster.send('POST', '/abort');
    await settle('Canceled');
    await azure.inject({ name: 'goes', match: { method: 'DELETE', path }, when: 'operation', then: { stuck: true } });
    await cluster.send('DELETE');
    await settle('Deleting');
    expect(cluster.states).toEqual(
      expect.arrayContaining(['Creating', 'Failed', 'Succeeded', 'Updating', 'Canceled', 'Deleting']),
    );
  });

  it('Container Registry: registries and their credentials', async () => {
    const version = '2025-11-01';
    const namespace = 'Microsoft.ContainerRegistry/registries';
    const types = new AzureTypes(`containerregistry-${version}`);
    const registry = new Resource(`${group}/${namespace}/typed`, version, types.resource(namespace));
    await registry.put({
      location: 'eastus',
      sku: { name: 'Premium' },
      tags: { a: 'b' },
      properties: { adminUserEnabled: true },
    });
    await registry.look();
    expect(types.action(namespace, 'listCredentials')(await registry.send('POST', '/listCredentials'))).toEqual([]);
    await azure.inject({ name: 'goes', match: { method: 'DELETE' }, when: 'operation', then: { stuck: true } });
    await registry.send('DELETE');
    await registry.settle('Deleting');
  });
}

/** A job says why it failed, as the parity table has it; Azure keeps that elsewhere. */
function withoutError(job: unknown): unknown {
  const { properties, ...rest } = job as { properties: { error?: unknown } };
  const { error: _, ...others } = properties;
  return { ...rest, properties: others };
}

if (azureTypesAreHere) describe('bodies are those of azure-types', bodiesLikeAzures);
else it('bodies are not held against azure-types: there is no ../shared/reference/azure-types', () => undefined);
