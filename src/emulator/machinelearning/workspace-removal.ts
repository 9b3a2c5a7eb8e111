import { resourceKey } from '../arm/resource-id.js';
import type { Emulator } from '../core/emulator.js';
import { AssetStore } from './asset-store.js';
import { assetTypes } from './asset-types.js';
import { computes } from './computes.js';
import { jobs } from './jobs/job.js';
import type { JobRunner } from './jobs/runner.js';
import { workspaces } from './workspaces.js';

/** Removes a workspace: ends its jobs, and forgets them, its computes and its assets. Its blobs are the storage account's. */
export async function removeWorkspace(emulator: Emulator, runner: JobRunner, id: string): Promise<void> {
  const prefix = `${resourceKey(id)}/`;
  await Promise.all(
    jobs(emulator)
      .list(prefix)
      .map((job) => runner.remove(job)),
  );
  for (const type of assetTypes) new AssetStore(emulator, type).removeAll(id);
  for (const [key] of computes(emulator).entries(prefix)) computes(emulator).delete(key);
  workspaces(emulator).delete(resourceKey(id));
}
