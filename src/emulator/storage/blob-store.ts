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
    for (const account of storageAccounts(emulator).list()) {
      store.open(account).catch((error: unknown) => emulator.log.error({ err: error }, 'Azurite did not start'));
    }
    emulator.inventory.source(() => store.inventory());
    return store;
  }

  /** Starts an account's Azurite; one that runs goes on. */
  open(account: StorageAccount): Promise<Azurite> {
    const name = resourceName(account.id);
    let azurite = this.azurites.get(name);
    if (azurite === undefined) {
      azurite = startAzurite(this.emulator, name, account.keys[0]);
      this.azurites.set(name, azurite);
    }
    return azurite;
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
