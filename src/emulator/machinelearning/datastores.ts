import type { FastifyInstance } from 'fastify';
import { resourceKey } from '../arm/resource-id.js';
import type { Emulator } from '../core/emulator.js';
import { storageAccounts } from '../storage/storage-accounts.js';
import { notFound } from './errors.js';
import { systemData, workspacePath, workspaceType, type WorkspaceParams } from './routes.js';
import { artifactContainer, defaultContainer, findWorkspace, storageAccountOf, type Workspace } from './workspaces.js';

interface DatastoreRoute {
  Params: WorkspaceParams & { datastore: string };
}

/** The datastores that every workspace is born with, and the containers behind them. */
export function datastoreContainers(workspace: Workspace): Readonly<Record<string, string>> {
  return { workspaceblobstore: defaultContainer(workspace), workspaceartifactstore: artifactContainer };
}

/** Datastores: get, list, listSecrets. Those of users are absent. */
export function registerDatastores(app: FastifyInstance, emulator: Emulator): void {
  const find = (params: DatastoreRoute['Params']): { workspace: Workspace; name: string } => {
    const workspace = findWorkspace(emulator, params);
    const name = params.datastore.toLowerCase();
    if (datastoreContainers(workspace)[name] === undefined) throw notFound(`datastore ${params.datastore}`);
    return { workspace, name };
  };

  app.get<{ Params: WorkspaceParams }>(`${workspacePath}/datastores`, async (request) => {
    const workspace = findWorkspace(emulator, request.params);
    return { value: Object.keys(datastoreContainers(workspace)).map((name) => toBody(workspace, name)) };
  });

  app.get<DatastoreRoute>(`${workspacePath}/datastores/:datastore`, async (request) => {
    const { workspace, name } = find(request.params);
    return toBody(workspace, name);
  });

  app.post<DatastoreRoute>(`${workspacePath}/datastores/:datastore/listSecrets`, async (request) => {
    const { workspace } = find(request.params);
    const account = storageAccounts(emulator).get(resourceKey(workspace.properties.storageAccount ?? ''));
    if (account === undefined) throw notFound('the storage account of the workspace');
    return { secretsType: 'AccountKey', key: account.keys[0] };
  });
}

function toBody(workspace: Workspace, name: string): unknown {
  return {
    id: `${workspace.id}/datastores/${name}`,
    name,
    type: `${workspaceType}/datastores`,
    properties: {
      datastoreType: 'AzureBlob',
      accountName: storageAccountOf(workspace),
      containerName: datastoreContainers(workspace)[name],
      endpoint: 'core.windows.net',
      protocol: 'https',
      serviceDataAccessAuthIdentity: 'None',
      credentials: { credentialsType: 'AccountKey' },
      isDefault: name === 'workspaceblobstore',
      tags: {},
      properties: {},
    },
    systemData: systemData(workspace.createdAt),
  };
}
