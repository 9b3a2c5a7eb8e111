import { request } from 'node:https';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fileBelow } from '../../src/emulator/machinelearning/jobs/data.js';
import { armClients, blobClient, startEmulator, type TestEmulator } from '../fixtures/emulator.js';
import { createCluster, kubernetesClients, until } from '../fixtures/kubernetes.js';

let azure: TestEmulator;
let workspaceId: string;
const workspace = ['slipway-local', 'slipway'] as const;

beforeAll(async () => {
  azure = await startEmulator();
  workspaceId = (await armClients(azure).machineLearning.workspaces.get(...workspace)).id ?? '';
});
afterAll(() => azure?.stop());

describe('a path that a file system would read as another one is refused', () => {
  /** Clients tidy such paths up before they send them, so these are sent as they are. */
  function statusOf(url: string, path: string, token: string): Promise<number | undefined> {
    const { hostname, port } = new URL(url);
    const { ca } = azure.clientOptions.tlsOptions;
    const headers = { authorization: `Bearer ${token}`, 'x-ms-version': '2024-11-04', 'x-ms-blob-type': 'BlockBlob' };
    return new Promise((resolve, reject) => {
      const sent = request({ hostname, port, path, ca, method: 'PUT', agent: false, headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.on('error', reject).end();
    });
  }

  it.each(['..%2f..%2fevil', '%2e%2e/%2e%2e/evil', '..%5cevil', 'evil%00', '../../evil'])('%s', async (name) => {
    const token = async (scope: string) => (await azure.credential.getToken(scope)).token;
    const management = await token('https://management.azure.com/.default');
    const models = `${workspaceId}/models/${name}/versions/1?api-version=2022-10-01`;
    expect(await statusOf(azure.endpoints.arm, models, management)).toBe(400);
    const { url } = await blobClient(azure);
    const storage = await token('https://storage.azure.com/.default');
    expect(await statusOf(url, `/slipwaylocal/azureml/${name}`, storage)).toBe(400);
    expect((await azure.journal()).at(-1)).toMatchObject({ service: 'blob', status: 400 });
    expect(readdirSync(azure.state).filter((file) => file.includes('evil'))).toEqual([]);
  });

  it.each(['Evil', 'a_b', 'ab'])('the storage account %s, which would be a directory', async (account) => {
    const { subscriptionId, resourceGroup } = azure.endpoints;
    const group = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}`;
    const path = `${group}/providers/Microsoft.Storage/storageAccounts/${account}?api-version=2023-05-01`;
    const reply = await azure.call('PUT', path, { body: { location: 'eastus' } });
    expect(reply).toMatchObject({ status: 400, body: { error: { code: 'AccountNameInvalid' } } });
  });
});

describe('a job', () => {
  const submit = (name: string, more: Record<string, unknown>) =>
    azure.call('PUT', `${workspaceId}/jobs/${name}?api-version=2022-10-01`, {
      body: { properties: { jobType: 'Command', command: 'true', environmentId: 'azureml:bare:1', ...more } },
    });

  beforeAll(async () => {
    await armClients(azure).machineLearning.environmentVersions.createOrUpdate(...workspace, 'bare', '1', {
      properties: { image: 'any' },
    });
  });

  it.each([
    ['inputs', { jobInputType: 'literal', value: 'x' }],
    ['outputs', { jobOutputType: 'uri_folder' }],
  ])('has no %s whose name leads out of its directory', async (group, binding) => {
    expect(await submit(`names-${group}`, { [group]: { '../../../escape': binding } })).toMatchObject({ status: 400 });
  });

  it.each(['../evil', 'a/../../evil', '..', 'a\0b', ''])('puts no blob named %j outside of its folder', (name) => {
    expect(() => fileBelow('/inputs/data', name)).toThrow(/leads out of its folder/);
    expect(fileBelow('/inputs/data', 'a/b..c')).toBe('/inputs/data/a/b..c');
  });

  it('fails where the path of an input leads out of its folder', async () => {
    const uri = 'azureml://datastores/workspaceblobstore/paths/folder/..%2f..';
    await submit('escapes', { inputs: { data: { jobInputType: 'uri_folder', uri } } });
    const job = await until('the job to end', async () => {
      const { body } = await azure.call('GET', `${workspaceId}/jobs/escapes?api-version=2022-10-01`);
      const { properties } = body as { properties: { status: string; error?: { code: string } } };
      return properties.status === 'Failed' && properties;
    });
    expect(job.error?.code).toBe('UserError');
  });
});

it.each(['../escape', '..', 'a/b', ''])('a Secret or ConfigMap has no key %j, which would be a file', async (key) => {
  const name = 'keys';
  if ((await azure.inventory()).every(({ kind }) => kind !== 'managed-cluster')) await createCluster(azure, name);
  const { core } = await kubernetesClients(azure, name);
  const namespace = 'default';
  const secret = core.createNamespacedSecret({ namespace, body: { metadata: { name }, stringData: { [key]: 'x' } } });
  await expect(secret).rejects.toMatchObject({ code: 422 });
  const config = core.createNamespacedConfigMap({ namespace, body: { metadata: { name }, data: { [key]: 'x' } } });
  await expect(config).rejects.toMatchObject({ code: 422 });
});

it("keys, tokens and passwords can be read by the emulator's owner only", () => {
  const mode = (...path: string[]) => statSync(join(azure.state, ...path)).mode & 0o777;
  expect(mode('tls')).toBe(0o700);
  expect(mode('tls', 'ca-key.pem')).toBe(0o600);
  expect(mode('documents')).toBe(0o700);
  expect(mode('endpoints.json')).toBe(0o600);
  expect(mode('endpoints.env')).toBe(0o600);
  expect(existsSync(join(azure.state, 'tls', 'ca.pem'))).toBe(true);
});
