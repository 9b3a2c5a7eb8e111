import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { parseBody, tagsSchema } from '../arm/body.js';
import { badRequest, resourceNotFound } from '../arm/errors.js';
import { resourceId, resourceKey, resourceName } from '../arm/resource-id.js';
import type { TrackedResource } from '../arm/resource-types.js';
import type { Collection } from '../core/documents.js';
import type { Emulator } from '../core/emulator.js';
import { effect } from '../core/journal.js';
import type { BlobStore } from '../storage/blob-store.js';
import { systemData, workspacePath, workspacesPath, workspaceType, type WorkspaceParams } from './routes.js';

const bodySchema = z.object({
  location: z.string(),
  tags: tagsSchema.optional(),
  properties: z.object({
    friendlyName: z.string().optional(),
    description: z.string().optional(),
    storageAccount: z.string().optional(),
    containerRegistry: z.string().optional(),
    keyVault: z.string().optional(),
  }),
});

type WorkspaceBody = z.output<typeof bodySchema>;

/** A workspace as it is kept. */
export interface Workspace extends WorkspaceBody {
  id: string;
  /** A GUID, part of the default blob container's name. */
  workspaceId: string;
  createdAt: string;
}

/** Where jobs keep their logs. */
export const artifactContainer = 'azureml';

/** Container of the default datastore `workspaceblobstore`. */
export function defaultContainer(workspace: Workspace): string {
  return `azureml-blobstore-${workspace.workspaceId}`;
}

export function workspaces(emulator: Emulator): Collection<Workspace> {
  return emulator.documents.collection<Workspace>('ml-workspaces');
}

/** The workspace that a path names. Throws the gateway's ResourceNotFound. */
export function findWorkspace(emulator: Emulator, { workspace, ...group }: WorkspaceParams): Workspace {
  const found = workspaces(emulator).get(resourceKey(resourceId(group, workspaceType, workspace)));
  if (found === undefined) throw resourceNotFound(workspaceType, workspace, group.resourceGroup);
  return found;
}

/** Name of the storage account of a workspace. Throws when it was made without one. */
export function storageAccountOf(workspace: Workspace): string {
  const { storageAccount } = workspace.properties;
  if (storageAccount === undefined) throw badRequest('BadRequest', `Workspace ${workspace.id} has no storage account.`);
  return resourceName(storageAccount);
}

/** Makes or updates a workspace, with the containers of its default datastores. */
export function putWorkspace(
  emulator: Emulator,
  blobs: BlobStore,
  id: string,
  body: WorkspaceBody,
): { workspace: Workspace; change: 'created' | 'updated' | 'unchanged' } {
  const existing = workspaces(emulator).get(resourceKey(id));
  const workspace: Workspace = {
    ...body,
    id,
    workspaceId: existing?.workspaceId ?? randomUUID(),
    createdAt: existing?.createdAt ?? emulator.clock.now().toISOString(),
  };
  if (isDeepStrictEqual(existing, workspace)) return { workspace, change: 'unchanged' };
  ensureContainers(blobs, workspace);
  workspaces(emulator).put(resourceKey(id), workspace);
  return { workspace, change: existing === undefined ? 'created' : 'updated' };
}

function ensureContainers(blobs: BlobStore, workspace: Workspace): void {
  if (workspace.properties.storageAccount === undefined) return;
  blobs.ensureContainers(storageAccountOf(workspace), [defaultContainer(workspace), artifactContainer]);
}

/** Workspaces: get, list, put. */
export function registerWorkspaces(app: FastifyInstance, emulator: Emulator, blobs: BlobStore): void {
  // An emulator that was killed may have a workspace whose containers it had not come to make.
  for (const workspace of workspaces(emulator).list()) ensureContainers(blobs, workspace);
  emulator.inventory.source(() =>
    workspaces(emulator)
      .list()
      .map(({ id, tags }) => ({ kind: 'workspace', id, name: resourceName(id), ...(tags && { tags }) })),
  );

  app.get<{ Params: Omit<WorkspaceParams, 'workspace'> }>(workspacesPath, async (request) => {
    const prefix = resourceKey(resourceId(request.params, workspaceType, ''));
    return {
      value: workspaces(emulator)
        .list(`${prefix}/`)
        .map((workspace) => toBody(emulator, workspace)),
    };
  });

  app.get<{ Params: WorkspaceParams }>(workspacePath, async (request) =>
    toBody(emulator, findWorkspace(emulator, request.params)),
  );

  app.put<{ Params: WorkspaceParams }>(workspacePath, async (request, reply) => {
    const { workspace: name, ...group } = request.params;
    const id = resourceId(group, workspaceType, name);
    const { workspace, change } = putWorkspace(emulator, blobs, id, parseBody(bodySchema, request.body));
    effect(request, { change, kind: 'workspace', id });
    return reply.code(change === 'created' ? 201 : 200).send(toBody(emulator, workspace));
  });
}

/** What the lists of Resource Manager have of a workspace. */
export function trackedWorkspace(emulator: Emulator, { id, location, tags, createdAt }: Workspace): TrackedResource {
  return {
    id,
    location,
    tags: tags ?? {},
    sku: { name: 'Basic', tier: 'Basic' },
    identity: { type: 'SystemAssigned', tenantId: emulator.tokens.identity.tenantId },
    provisioningState: 'Succeeded',
    createdTime: createdAt,
  };
}

function toBody(emulator: Emulator, workspace: Workspace): unknown {
  const { id, location, properties, workspaceId, createdAt } = workspace;
  const { tags, sku, identity, provisioningState } = trackedWorkspace(emulator, workspace);
  const region = `${location}.api.azureml.ms`;
  return {
    id,
    name: resourceName(id),
    type: workspaceType,
    location,
    tags,
    identity,
    sku,
    properties: {
      friendlyName: resourceName(id),
      ...properties,
      provisioningState,
      workspaceId,
      tenantId: emulator.tokens.identity.tenantId,
      discoveryUrl: `https://${location}.api.azureml.ms/discovery`,
      mlFlowTrackingUri: `azureml://${region}/mlflow/v1.0${id}`,
      publicNetworkAccess: 'Enabled',
      v1LegacyMode: false,
    },
    systemData: systemData(createdAt),
  };
}
