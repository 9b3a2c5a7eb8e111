import type { FastifyInstance } from 'fastify';
import { resourceKey, resourceName } from '../arm/resource-id.js';
import type { Collection } from '../core/documents.js';
import type { Emulator } from '../core/emulator.js';
import { notFound } from './errors.js';
import { systemData, workspacePath, workspaceType, type WorkspaceParams } from './routes.js';
import { findWorkspace, type Workspace } from './workspaces.js';

/** A cluster of machines for jobs, as it is kept. */
export interface Compute {
  id: string;
  location: string;
  vmSize: string;
  createdAt: string;
}

export function computes(emulator: Emulator): Collection<Compute> {
  return emulator.documents.collection<Compute>('ml-computes');
}

/** Adds an AmlCompute cluster to a workspace. */
export function addCompute(emulator: Emulator, workspace: Workspace, name: string, vmSize: string): void {
  const id = `${workspace.id}/computes/${name}`;
  const { location } = workspace;
  computes(emulator).put(resourceKey(id), { id, location, vmSize, createdAt: emulator.clock.now().toISOString() });
}

/** Computes: get, list. Making one is absent; jobs run on the one that is seeded, or serverless. */
export function registerComputes(app: FastifyInstance, emulator: Emulator): void {
  emulator.inventory.source(() =>
    computes(emulator)
      .list()
      .map(({ id }) => ({ kind: 'compute', id, name: resourceName(id) })),
  );

  app.get<{ Params: WorkspaceParams }>(`${workspacePath}/computes`, async (request) => {
    const workspace = findWorkspace(emulator, request.params);
    return {
      value: computes(emulator)
        .list(`${resourceKey(workspace.id)}/computes/`)
        .map(toBody),
    };
  });

  app.get<{ Params: WorkspaceParams & { compute: string } }>(`${workspacePath}/computes/:compute`, async (request) => {
    const workspace = findWorkspace(emulator, request.params);
    const compute = computes(emulator).get(resourceKey(`${workspace.id}/computes/${request.params.compute}`));
    if (compute === undefined) throw notFound(`compute ${request.params.compute}`);
    return toBody(compute);
  });
}

function toBody({ id, location, vmSize, createdAt }: Compute): unknown {
  return {
    id,
    name: resourceName(id),
    type: `${workspaceType}/computes`,
    location,
    properties: {
      computeType: 'AmlCompute',
      computeLocation: location,
      provisioningState: 'Succeeded',
      provisioningErrors: null,
      createdOn: createdAt,
      isAttachedCompute: false,
      properties: {
        osType: 'Linux',
        vmSize,
        vmPriority: 'Dedicated',
        scaleSettings: { minNodeCount: 0, maxNodeCount: 2, nodeIdleTimeBeforeScaleDown: 'PT120S' },
        allocationState: 'Steady',
        currentNodeCount: 0,
        targetNodeCount: 0,
      },
    },
    systemData: systemData(createdAt),
  };
}
