import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ClientSecretCredential } from '@azure/identity';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { armClients, startEmulator, type TestEmulator } from '../fixtures/emulator.js';

let azure: TestEmulator;
let group: string;

beforeAll(async () => {
  azure = await startEmulator();
  group = `/subscriptions/${azure.endpoints.subscriptionId}/resourceGroups/${azure.endpoints.resourceGroup}`;
});
afterAll(() => azure.stop());

const workspaceType = 'Microsoft.MachineLearningServices/workspaces';

describe('sign-in', () => {
  it('gives the real credential a token that Resource Manager takes', async () => {
    const { machineLearning } = armClients(azure);
    const workspace = await machineLearning.workspaces.get(azure.endpoints.resourceGroup, 'slipway');
    expect(workspace).toMatchObject({ name: 'slipway', location: 'eastus', provisioningState: 'Succeeded' });
    expect(workspace.storageAccount).toBe(`${group}/providers/Microsoft.Storage/storageAccounts/slipwaylocal`);
    expect(workspace.containerRegistry).toBe(`${group}/providers/Microsoft.ContainerRegistry/registries/slipwaylocal`);
  });

  it.each([
    ['no token', null, 'AuthenticationFailed'],
    ['something that is no token', 'nonsense', 'InvalidAuthenticationToken'],
  ])('refuses %s', async (_case, token, code) => {
    const reply = await azure.call('GET', `${group}?api-version=2021-04-01`, { token });
    expect(reply).toMatchObject({ status: 401, body: { error: { code } } });
    expect(reply.headers['www-authenticate']).toMatch(/^Bearer /);
  });

  it.each([
    ['a wrong secret', { clientSecret: 'wrong' }, 'AADSTS7000215'],
    ['an unknown application', { clientId: '00000000-0000-4000-8000-000000000000' }, 'AADSTS700016'],
    ['an unknown tenant', { tenantId: '00000000-0000-4000-8000-000000000000' }, 'AADSTS90002'],
  ])('gives no token for %s', async (_case, wrong, error) => {
    const { tenantId, clientId, clientSecret, authorityHost } = { ...azure.endpoints, ...wrong };
    const { tlsOptions } = azure.clientOptions;
    const options = { authorityHost, tlsOptions, disableInstanceDiscovery: true };
    const credential = new ClientSecretCredential(tenantId, clientId, clientSecret, options);
    await expect(credential.getToken('https://management.azure.com/.default')).rejects.toThrow(error);
  });

  it('gives the identity of a machine a token by the metadata service', async () => {
    const path = '/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://management.azure.com/';
    expect(await azure.call('GET', path)).toMatchObject({ status: 400 });
    const { body } = await azure.call('GET', path, { headers: { metadata: 'true' } });
    const { access_token: token } = body as { access_token: string };
    expect(await azure.call('GET', `${group}?api-version=2021-04-01`, { token })).toMatchObject({ status: 200 });
  });

  it('refuses a token for another audience', async () => {
    const token = await azure.credential.getToken('https://storage.azure.com/.default');
    const reply = await azure.call('GET', `${group}?api-version=2021-04-01`, { token: token.token });
    expect(reply).toMatchObject({ status: 401, body: { error: { code: 'InvalidAuthenticationToken' } } });
  });

  it('refuses a token that has expired', async () => {
    const { token } = await azure.credential.getToken('https://management.azure.com/.default');
    await azure.advance(3600);
    const reply = await azure.call('GET', `${group}?api-version=2021-04-01`, { token });
    expect(reply).toMatchObject({ status: 401, body: { error: { code: 'InvalidAuthenticationToken' } } });
    await azure.stop();
    azure = await startEmulator();
  });
});

describe('what every call has in common', () => {
  it.each([
    ['no api-version', '', 400, 'MissingApiVersionParameter'],
    ['a malformed api-version', '?api-version=latest', 400, 'InvalidApiVersionParameter'],
    ['an api-version below the floor', '?api-version=2020-01-01', 400, 'NoRegisteredProviderFound'],
  ])('answers %s as Azure does', async (_case, query, status, code) => {
    const reply = await azure.call('GET', `${group}/providers/${workspaceType}/slipway${query}`);
    expect(reply).toMatchObject({ status, body: { error: { code } } });
  });

  it('accepts api-versions from the floor upwards, in any case and with doubled slashes', async () => {
    const path = `/${group.replace('resourceGroups', 'RESOURCEGROUPS')}/providers/${workspaceType.toLowerCase()}//slipway`;
    const served = await azure.call('GET', `${path}?api-version=2022-10-01`);
    expect(served.status).toBe(200);
    expect(served.headers).not.toHaveProperty('warning');
    const newer = await azure.call('GET', `${path}?api-version=2029-01-01-preview`);
    expect(newer).toMatchObject({
      status: 200,
      headers: { warning: expect.stringMatching(/^299 - ".*2022-10-01"$/) as string },
    });
  });

  it("answers what is not there with the gateway's error", async () => {
    const reply = await azure.call('GET', `${group}/providers/${workspaceType}/absent?api-version=2022-10-01`);
    expect(reply).toMatchObject({ status: 404, body: { error: { code: 'ResourceNotFound' } } });
    expect(reply.headers).toMatchObject({
      'x-ms-failure-cause': 'gateway',
      'x-ms-request-id': expect.any(String) as string,
    });
  });

  it('says that a resource group or subscription does not exist', async () => {
    const elsewhere = `${group}-elsewhere/providers/${workspaceType}/slipway?api-version=2022-10-01`;
    expect(await azure.call('GET', elsewhere)).toMatchObject({ body: { error: { code: 'ResourceGroupNotFound' } } });
    const other = '/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups?api-version=2021-04-01';
    expect(await azure.call('GET', other)).toMatchObject({ body: { error: { code: 'SubscriptionNotFound' } } });
  });

  it.each([
    ['PUT', '/providers/Microsoft.Network/loadBalancers/x', 'InvalidResourceNamespace'],
    ['GET', '/providers/Microsoft.ContainerService/fleets/x', 'InvalidResourceType'],
    ['POST', '/exportTemplate', 'NotFound'],
  ])('answers %s %s as what it does not know, and logs that it is not emulated', async (method, path, code) => {
    const reply = await azure.call(method, `${group}${path}?api-version=2024-01-01`);
    expect(reply).toMatchObject({ status: 404, body: { error: { code } } });
    expect(JSON.stringify(reply.body)).toContain(`does not emulate ${method} ${group}${path}`);
    const log = (await readFile(join(azure.state, 'emulator.log'), 'utf8')).trim().split('\n');
    const entries = log.map((line) => JSON.parse(line) as { msg: string; path?: string });
    expect(entries).toContainEqual(expect.objectContaining({ msg: 'not emulated', method, path: `${group}${path}` }));
  });
});

describe('health', () => {
  it('is ok while the blobs can be reached', async () => {
    expect(await azure.call('GET', '/healthz')).toMatchObject({ status: 200, body: { checks: { blob: 'ok' } } });
  });
});
