import type { Collection } from '../core/documents.js';
import type { Emulator } from '../core/emulator.js';

/** A storage account as it is kept. Its endpoints depend on where the blob listener is, so they are added when it is answered. */
export interface StorageAccount {
  id: string;
  location: string;
  kind: string;
  sku: string;
  tags?: Record<string, string>;
  /** Base64. */
  keys: [string, string];
  createdAt: string;
}

export function storageAccounts(emulator: Emulator): Collection<StorageAccount> {
  return emulator.documents.collection<StorageAccount>('storage-accounts');
}
