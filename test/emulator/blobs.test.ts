import { StorageSharedKeyCredential, BlobServiceClient, type StoragePipelineOptions } from '@azure/storage-blob';
import type { PipelineOptions } from '@azure/core-rest-pipeline';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { armClients, blobClient, startEmulator, type TestEmulator } from '../fixtures/emulator.js';

let azure: TestEmulator;
let blobs: BlobServiceClient;

beforeAll(async () => {
  azure = await startEmulator();
  blobs = await blobClient(azure);
});
afterAll(() => azure.stop());

async function effects(id: string): Promise<(string | undefined)[]> {
  const entries = await azure.journal();
  return entries.filter(({ effect }) => effect?.id === id).map(({ effect }) => effect?.change);
}

it('serves blobs at the address that the account has, and tells what each write did', async () => {
  const container = blobs.getContainerClient('shore');
  await container.create();
  const blob = container.getBlockBlobClient('a b/c.txt');
  await blob.upload('one', 3);
  await blob.upload('one', 3);
  await blob.upload('two', 3);
  expect((await blob.downloadToBuffer()).toString()).toBe('two');
  await expect(blob.upload('two', 3, { conditions: { ifNoneMatch: '*' } })).rejects.toMatchObject({
    code: 'BlobAlreadyExists',
  });
  await blob.delete();
  expect(await effects('/slipwaylocal/shore/a b/c.txt')).toEqual([
    'created',
    'unchanged',
    'updated',
    'unchanged',
    'deleted',
  ]);
});

it('takes large blobs in blocks, as one creation', async () => {
  const container = blobs.getContainerClient('blocks');
  await container.create();
  const content = Buffer.alloc(9 * 1024 * 1024, 7);
  await container
    .getBlockBlobClient('big')
    .uploadData(content, { blockSize: 4 * 1024 * 1024, maxSingleShotSize: 1024 });
  expect((await container.getBlobClient('big').downloadToBuffer()).equals(content)).toBe(true);
  expect(await effects('/slipwaylocal/blocks/big')).toEqual(['created']);
});

it('lists blobs by prefix and in pages, describes them, and names what is not there', async () => {
  const container = blobs.getContainerClient('harbour');
  await container.create();
  for (const name of ['pier/1', 'pier/2', 'quay']) await container.getBlockBlobClient(name).upload('photo', 5);
  const described = container.getBlobClient('quay');
  await described.setMetadata({ origin: 'shore' });
  await described.setHTTPHeaders({ blobContentType: 'image/jpeg' });
  const { contentLength, contentType, metadata } = await described.getProperties();
  expect({ contentLength, contentType, metadata }).toEqual({
    contentLength: 5,
    contentType: 'image/jpeg',
    metadata: { origin: 'shore' },
  });
  const pages: string[][] = [];
  for await (const { segment } of container.listBlobsFlat({ prefix: 'pier/' }).byPage({ maxPageSize: 1 })) {
    pages.push(segment.blobItems.map(({ name }) => name));
  }
  expect(pages).toEqual([['pier/1'], ['pier/2']]);
  await expect(container.getBlobClient('gone').download()).rejects.toMatchObject({ code: 'BlobNotFound' });
  const absent = blobs.getContainerClient('absent').getProperties();
  await expect(absent).rejects.toMatchObject({ statusCode: 404, code: 'ContainerNotFound' });
});

it('takes the account key too, and no token for another service', async () => {
  const { storage } = armClients(azure);
  const { keys } = await storage.storageAccounts.listKeys('slipway-local', 'slipwaylocal');
  const options: StoragePipelineOptions & PipelineOptions = {
    tlsOptions: azure.clientOptions.tlsOptions,
    retryOptions: { maxTries: 1 },
  };
  const withKey = new BlobServiceClient(
    blobs.url,
    new StorageSharedKeyCredential('slipwaylocal', keys?.[0]?.value ?? ''),
    options,
  );
  expect(await withKey.getContainerClient('azureml').exists()).toBe(true);
  const other = { getToken: () => azure.credential.getToken('https://management.azure.com/.default') };
  const withOther = new BlobServiceClient(blobs.url, other, options);
  await expect(withOther.getContainerClient('azureml').getProperties()).rejects.toMatchObject({ statusCode: 403 });
});

it('loses the reply of an upload that has been made', async () => {
  const container = blobs.getContainerClient('lost');
  await container.create();
  await azure.inject({
    name: 'lost',
    match: { service: 'blob', method: 'PUT', path: '/lost/x$' },
    when: 'after',
    then: { reset: true },
  });
  await expect(container.getBlockBlobClient('x').upload('x', 1)).rejects.toThrow();
  expect((await container.getBlobClient('x').downloadToBuffer()).toString()).toBe('x');
  expect(await effects('/slipwaylocal/lost/x')).toEqual(['created']);
});

it('lists blobs in the inventory', async () => {
  await blobs.getContainerClient('listed').create();
  await blobs.getContainerClient('listed').getBlockBlobClient('deep/er').upload('', 0);
  expect(await azure.inventory()).toContainEqual({ kind: 'blob', id: '/slipwaylocal/listed/deep/er', name: 'deep/er' });
});

it('go with their account', async () => {
  const { storage } = armClients(azure);
  const parameters = { location: 'eastus', kind: 'StorageV2', sku: { name: 'Standard_LRS' } };
  await storage.storageAccounts.create('slipway-local', 'leaving', parameters);
  const { keys } = await storage.storageAccounts.listKeys('slipway-local', 'leaving');
  const account = await storage.storageAccounts.getProperties('slipway-local', 'leaving');
  const credential = new StorageSharedKeyCredential('leaving', keys?.[0]?.value ?? '');
  const { tlsOptions } = azure.clientOptions;
  const options: StoragePipelineOptions & PipelineOptions = { tlsOptions, retryOptions: { maxTries: 1 } };
  const own = new BlobServiceClient(account.primaryEndpoints?.blob ?? '', credential, options);
  await own.getContainerClient('shore').create();
  expect(await own.getContainerClient('shore').exists()).toBe(true);
  await storage.storageAccounts.delete('slipway-local', 'leaving');
  expect(await own.getContainerClient('shore').exists()).toBe(false);
  await expect(storage.storageAccounts.getProperties('slipway-local', 'leaving')).rejects.toMatchObject({
    code: 'ResourceNotFound',
  });
  await storage.storageAccounts.delete('slipway-local', 'leaving');
  await storage.storageAccounts.create('slipway-local', 'leaving', parameters);
  const again = await storage.storageAccounts.listKeys('slipway-local', 'leaving');
  expect(again.keys?.[0]?.value).not.toBe(keys?.[0]?.value);
});
