import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { parseBody, tagsSchema } from '../arm/body.js';
import { ArmError, resourceNotFound } from '../arm/errors.js';
import { resourceId, resourceKey, resourceName } from '../arm/resource-id.js';
import type { TrackedResource } from '../arm/resource-types.js';
import type { Emulator } from '../core/emulator.js';
import { effect } from '../core/journal.js';
import type { BlobStore } from './blob-store.js';
import { storageAccounts, type StorageAccount } from './storage-accounts.js';

interface AccountRoute {
  Params: { subscriptionId: string; resourceGroup: string; account: string };
}

const accountType = 'Microsoft.Storage/storageAccounts';

const bodySchema = z.object({
  location: z.string(),
  kind: z.string().default('StorageV2'),
  sku: z.object({ name: z.string() }).default({ name: 'Standard_LRS' }),
  tags: tagsSchema.optional(),
});

/** Also the name of a directory. */
const accountName = /^[a-z0-9]{3,24}$/;

/** Makes a storage account and begins to start its blobs; an account that exists keeps its keys. */
export function putStorageAccount(
  emulator: Emulator,
  blobs: BlobStore,
  id: string,
  { location, kind, sku, tags }: z.output<typeof bodySchema>,
): { account: StorageAccount; change: 'created' | 'updated' | 'unchanged' } {
  const accounts = storageAccounts(emulator);
  const existing = accounts.get(resourceKey(id));
  const account: StorageAccount = {
    id,
    location,
    kind,
    sku: sku.name,
    ...(tags && { tags }),
    keys: existing?.keys ?? [randomBytes(64).toString('base64'), randomBytes(64).toString('base64')],
    createdAt: existing?.createdAt ?? emulator.clock.now().toISOString(),
  };
  if (isDeepStrictEqual(existing, account)) return { account, change: 'unchanged' };
  accounts.put(resourceKey(id), account);
  blobs.open(account);
  return { account, change: existing === undefined ? 'created' : 'updated' };
}

/** Storage accounts of Resource Manager: get, list, put, delete and keys. */
export function registerStorage(app: FastifyInstance, emulator: Emulator, blobs: BlobStore): void {
  const accounts = storageAccounts(emulator);
  const base =
    '/subscriptions/:subscriptionId/resourceGroups/:resourceGroup/providers/Microsoft.Storage/storageAccounts';
  const find = ({ subscriptionId, resourceGroup, account }: AccountRoute['Params']): StorageAccount => {
    const found = accounts.get(resourceKey(resourceId({ subscriptionId, resourceGroup }, accountType, account)));
    if (found === undefined) throw resourceNotFound(accountType, account, resourceGroup);
    return found;
  };

  emulator.inventory.source(() =>
    accounts
      .list()
      .map(({ id, tags }) => ({ kind: 'storage-account', id, name: resourceName(id), ...(tags && { tags }) })),
  );

  const remove = async (id: string): Promise<void> => {
    await blobs.remove(resourceName(id));
    accounts.delete(resourceKey(id));
  };
  const list = () => accounts.list().map(tracked);
  emulator.resourceTypes.add({ type: accountType, kind: 'storage-account', list, remove });

  app.get<AccountRoute>(base, async (request) => {
    const { subscriptionId, resourceGroup } = request.params;
    const prefix = resourceKey(resourceId({ subscriptionId, resourceGroup }, accountType, ''));
    return { value: accounts.list(`${prefix}/`).map((account) => toBody(account, blobs)) };
  });

  app.get<AccountRoute>(`${base}/:account`, async (request) => toBody(find(request.params), blobs));

  app.put<AccountRoute>(`${base}/:account`, async (request) => {
    const { account: name, ...group } = request.params;
    if (!accountName.test(name)) {
      const message = `${name} is not a valid storage account name. Storage account name must be between 3 and 24 characters in length and use numbers and lower-case letters only.`;
      throw new ArmError(400, 'AccountNameInvalid', message);
    }
    const id = resourceId(group, accountType, name);
    const { account, change } = putStorageAccount(emulator, blobs, id, parseBody(bodySchema, request.body));
    effect(request, { change, kind: 'storage-account', id });
    return toBody(account, blobs);
  });

  app.delete<AccountRoute>(`${base}/:account`, async (request, reply) => {
    const { account, ...group } = request.params;
    const id = resourceId(group, accountType, account);
    if (accounts.get(resourceKey(id)) === undefined) return reply.code(204).send();
    await remove(id);
    effect(request, { change: 'deleted', kind: 'storage-account', id });
    return reply.code(200).send();
  });

  app.post<AccountRoute>(`${base}/:account/listKeys`, async (request) => ({
    keys: find(request.params).keys.map((value, index) => ({ keyName: `key${index + 1}`, value, permissions: 'FULL' })),
  }));
}

function tracked({ id, location, kind, sku, tags = {}, createdAt }: StorageAccount): TrackedResource {
  const tier = sku.split('_')[0];
  return {
    id,
    location,
    kind,
    sku: { name: sku, tier },
    tags,
    provisioningState: 'Succeeded',
    createdTime: createdAt,
  };
}

function toBody(account: StorageAccount, blobs: BlobStore): unknown {
  const { provisioningState, createdTime, ...resource } = tracked(account);
  const { id, location } = resource;
  return {
    ...resource,
    name: resourceName(id),
    type: accountType,
    properties: {
      provisioningState,
      creationTime: createdTime,
      primaryLocation: location,
      statusOfPrimary: 'available',
      supportsHttpsTrafficOnly: true,
      allowBlobPublicAccess: false,
      allowSharedKeyAccess: true,
      minimumTlsVersion: 'TLS1_2',
      accessTier: 'Hot',
      primaryEndpoints: { blob: blobs.endpoint(resourceName(id)) },
    },
  };
}
