import type { BlobServiceClient } from '@azure/storage-blob';
import { resourceName } from '../arm/resource-id.js';
import type { Emulator } from '../core/emulator.js';
import type { InventoryItem } from '../core/inventory.js';
import { startAzurite, type Azurite } from './azurite.js';
import { registerBlobProxy } from './blob-proxy.js';
import { blobFaultBody } from './blob-errors.js';
import { storageAccounts, type StorageAccount } from './storage-accounts.js';

/** The blobs of every storage account: one Azurite each, all behind one address. */
export class BlobStore {
  private readonly azurites = new Map<string, Promise<Azurite>>();
  private url = '';

  private constructor(private readonly emulator: Emulator) {}

  /** Opens the blob endpoint and begins to start the accounts that there are; nobody has to wait for those. */
  static async start(emulator: Emulator): Promise<BlobStore> {
    const store = new BlobStore(emulator);
    const listener = await emulator.listen(
      'blob',
      (app) => registerBlobProxy(app, emulator, (name) => store.azurite(name)),
      {
        name: 'blob',
        faultBody: blobFaultBody,
      },
    );
    store.url = listener.url;
    for (const account of storageAccounts(emulator).list()) store.open(account);
    emulator.inventory.source(() => store.inventory());
    return store;
  }

  /** Begins to start an account's Azurite; one that runs goes on. Calls to its blobs wait for it. */
  open(account: StorageAccount): void {
    const name = resourceName(account.id);
    if (!this.azurites.has(name)) this.keep(name, startAzurite(this.emulator, name, account.keys[0]));
  }

  /** Stops an account's Azurite and forgets its blobs. */
  async remove(account: string): Promise<void> {
    const starting = this.azurites.get(account);
    this.azurites.delete(account);
    // One that did not start has nothing to stop.
    const azurite = await starting?.catch(() => undefined);
    await azurite?.remove();
  }

  /** Begins to make containers that Azure itself needs. Calls to the account's blobs wait for them. */
  ensureContainers(account: string, containers: readonly string[]): void {
    const starting = this.azurites.get(account);
    if (starting === undefined) throw new Error(`there is no storage account ${account}`);
    this.keep(account, withContainers(starting, containers));
  }

  /** The account's blob endpoint as clients see it, with a slash at its end. */
  endpoint(account: string): string {
    return `${this.url}/${account}/`;
  }

  /** The account's blobs for Azure's own use. Throws when there is no such account. */
  async client(account: string): Promise<BlobServiceClient> {
    const azurite = await this.azurite(account);
    if (azurite === undefined) throw new Error(`there is no storage account ${account}`);
    return azurite.client;
  }

  /** Rejects when an account's blobs cannot be reached. */
  async check(): Promise<void> {
    for (const [name, starting] of this.azurites) {
      const azurite = await starting;
      if (!azurite.isRunning()) throw new Error(`the blobs of ${name} are gone: Azurite has ended`);
    }
  }

  private keep(account: string, starting: Promise<Azurite>): void {
    this.azurites.set(account, starting);
    // Who needs it gets the error too; the health check is one of them.
    starting.catch((error: unknown) => this.emulator.log.error({ err: error, account }, 'blobs did not start'));
  }

  private azurite(account: string): Promise<Azurite> | undefined {
    return this.azurites.get(account);
  }

  private async inventory(): Promise<InventoryItem[]> {
    const items: InventoryItem[] = [];
    for (const [account, starting] of this.azurites) {
      const { client } = await starting;
      for await (const container of client.listContainers()) {
        for await (const blob of client.getContainerClient(container.name).listBlobsFlat()) {
          items.push({ kind: 'blob', id: `/${account}/${container.name}/${blob.name}`, name: blob.name });
        }
      }
    }
    return items;
  }
}

async function withContainers(starting: Promise<Azurite>, containers: readonly string[]): Promise<Azurite> {
  const azurite = await starting;
  for (const container of containers) await azurite.client.getContainerClient(container).createIfNotExists();
  return azurite;
}
