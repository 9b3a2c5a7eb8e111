import type { FastifyInstance } from 'fastify';
import type { Emulator } from '../core/emulator.js';
import type { BlobStore } from '../storage/blob-store.js';
import { registerAssets } from './assets.js';
import { registerComputes } from './computes.js';
import { registerDatastores } from './datastores.js';
import { registerJobs } from './jobs/provider.js';
import { JobRunner } from './jobs/runner.js';
import { workspaceType } from './routes.js';
import { removeWorkspace } from './workspace-removal.js';
import { registerWorkspaces, trackedWorkspace, workspaces } from './workspaces.js';

/** Azure Machine Learning as of api-version 2022-10-01, as far as Slipway uses it. */
export function registerMachineLearning(app: FastifyInstance, emulator: Emulator, blobs: BlobStore): void {
  registerWorkspaces(app, emulator, blobs);
  registerDatastores(app, emulator);
  registerComputes(app, emulator);
  registerAssets(app, emulator);
  const runner = new JobRunner(emulator, blobs);
  registerJobs(app, emulator, runner);
  emulator.resourceTypes.add({
    type: workspaceType,
    kind: 'workspace',
    list: () =>
      workspaces(emulator)
        .list()
        .map((workspace) => trackedWorkspace(emulator, workspace)),
    remove: (id) => removeWorkspace(emulator, runner, id),
  });
}
