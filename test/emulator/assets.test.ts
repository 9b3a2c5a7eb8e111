import type { AzureMachineLearningWorkspaces } from '@azure/arm-machinelearning';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { armClients, startEmulator, type TestEmulator } from '../fixtures/emulator.js';

let azure: TestEmulator;
let machineLearning: AzureMachineLearningWorkspaces;
const workspace = ['slipway-local', 'slipway'] as const;

beforeAll(async () => {
  azure = await startEmulator();
  ({ machineLearning } = armClients(azure));
});
afterAll(() => azure.stop());

const modelUri = 'azureml://datastores/workspaceblobstore/paths/models/x';

async function register(name: string, version: string, more: Record<string, unknown> = {}) {
  return machineLearning.modelVersions.createOrUpdate(...workspace, name, version, {
    properties: { modelUri, ...more },
  });
}

async function versions(name: string, listViewType?: string): Promise<string[]> {
  const found = [];
  const options = listViewType === undefined ? {} : { listViewType };
  for await (const each of machineLearning.modelVersions.list(...workspace, name, options)) found.push(each.name ?? '');
  return found;
}

it('registers versions, newest first, and knows the latest and the next', async () => {
  const created = await register('counted', '1', { description: 'first', tags: { a: 'b' } });
  expect(created).toMatchObject({ name: '1', properties: { modelUri, description: 'first', tags: { a: 'b' } } });
  await register('counted', '2');
  expect(await versions('counted')).toEqual(['2', '1']);
  const container = await machineLearning.modelContainers.get(...workspace, 'counted');
  expect(container.properties).toMatchObject({ latestVersion: '2', nextVersion: '3' });
});

it('goes on counting after deletes', async () => {
  await register('deleted', '1');
  await register('deleted', '2');
  await machineLearning.modelVersions.delete(...workspace, 'deleted', '2');
  await machineLearning.modelVersions.delete(...workspace, 'deleted', '2');
  await expect(machineLearning.modelVersions.get(...workspace, 'deleted', '2')).rejects.toMatchObject({
    statusCode: 404,
  });
  const container = await machineLearning.modelContainers.get(...workspace, 'deleted');
  expect(container.properties).toMatchObject({ latestVersion: '1', nextVersion: '3' });
});

it('hides archived versions from lists, which keep their number', async () => {
  await register('archived', '1');
  await register('archived', '1', { isArchived: true });
  await register('archived', '2');
  expect(await versions('archived')).toEqual(['2']);
  expect(await versions('archived', 'ArchivedOnly')).toEqual(['1']);
  expect(await versions('archived', 'All')).toEqual(['2', '1']);
});

it('lets tags of a version change, but not what it is', async () => {
  await register('fixed', '1', { tags: { owner: 'us' } });
  await register('fixed', '1', { tags: { owner: 'them' } });
  expect((await machineLearning.modelVersions.get(...workspace, 'fixed', '1')).properties.tags).toEqual({
    owner: 'them',
  });
  await expect(register('fixed', '1', { modelUri: `${modelUri}/other` })).rejects.toMatchObject({ statusCode: 409 });
});

it.each(['-dash', 'with space', 'a'.repeat(256)])('refuses the name %s', async (name) => {
  await expect(register(name, '1')).rejects.toMatchObject({ statusCode: 400, code: 'UserError' });
});

it('keeps environments and code assets as immutable versions', async () => {
  const environment = { properties: { image: 'mcr.example/base@sha256:0', condaFile: 'name: x' } };
  await machineLearning.environmentVersions.createOrUpdate(...workspace, 'env', 'abc', environment);
  await machineLearning.environmentVersions.createOrUpdate(...workspace, 'env', 'abc', environment);
  await expect(
    machineLearning.environmentVersions.createOrUpdate(...workspace, 'env', 'abc', { properties: { image: 'other' } }),
  ).rejects.toMatchObject({ statusCode: 409 });
  await machineLearning.codeVersions.createOrUpdate(...workspace, 'code', '1', { properties: { codeUri: modelUri } });
  expect(await machineLearning.codeVersions.get(...workspace, 'code', '1')).toMatchObject({
    properties: { codeUri: modelUri },
  });
  const effects = (await azure.journal()).filter(({ effect }) => effect?.kind === 'environment');
  expect(effects.map(({ effect }) => effect?.change)).toEqual(['created', 'unchanged']);
});

it('gives datastores with the account key, as the account itself does', async () => {
  const secrets = await machineLearning.datastores.listSecrets(...workspace, 'workspaceblobstore');
  const { keys } = await armClients(azure).storage.storageAccounts.listKeys('slipway-local', 'slipwaylocal');
  expect(secrets).toMatchObject({ secretsType: 'AccountKey', key: keys?.[0]?.value });
});

it('come in pages of the size that is asked for', async () => {
  for (const version of ['1', '2', '3']) {
    await machineLearning.modelVersions.createOrUpdate(...workspace, 'paged', version, { properties: { modelUri } });
  }
  const pages: (string | undefined)[][] = [];
  const list = machineLearning.modelVersions.list(...workspace, 'paged', { top: 2 });
  for await (const page of list.byPage()) pages.push(page.map(({ name }) => name));
  expect(pages).toEqual([['3', '2'], ['1']]);
});
