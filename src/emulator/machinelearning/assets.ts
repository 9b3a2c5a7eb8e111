import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { parseBody } from '../arm/body.js';
import { page } from '../arm/paging.js';
import { resourceKey } from '../arm/resource-id.js';
import type { Emulator } from '../core/emulator.js';
import type { InventoryItem } from '../core/inventory.js';
import { effect } from '../core/journal.js';
import { AssetStore, type AssetContainer, type AssetVersion } from './asset-store.js';
import { assetTypes, containerSchema, type AssetType } from './asset-types.js';
import { notFound, userError } from './errors.js';
import { systemData, workspacePath, workspaceType, type WorkspaceParams } from './routes.js';
import { findWorkspace } from './workspaces.js';

interface ContainerRoute {
  Params: WorkspaceParams & { name: string };
  Querystring: ListQuery;
}

interface VersionRoute {
  Params: WorkspaceParams & { name: string; version: string };
}

interface ListQuery {
  listViewType?: string;
}

/** Azure's pattern for the names of assets. */
const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9\-_.]{0,254}$/;

/** Models, environments and codes: containers and their versions. */
export function registerAssets(app: FastifyInstance, emulator: Emulator): void {
  for (const type of assetTypes) {
    const store = new AssetStore(emulator, type);
    emulator.inventory.source(() => inventory(store));
    registerContainers(app, emulator, store);
    registerVersions(app, emulator, store);
  }
}

function inventory({ type, containers, versions }: AssetStore): InventoryItem[] {
  const tags = (properties: Record<string, unknown>): Pick<InventoryItem, 'tags'> =>
    properties.tags ? { tags: properties.tags as Record<string, string> } : {};
  return [
    ...containers
      .list()
      .map(({ id, name, properties }) => ({ kind: type.containerKind, id, name, ...tags(properties) })),
    ...versions.list().map(({ id, name, version, properties }) => ({
      kind: type.versionKind,
      id,
      name: `${name}:${version}`,
      ...tags(properties),
    })),
  ];
}

function registerContainers(app: FastifyInstance, emulator: Emulator, store: AssetStore): void {
  const { type, containers } = store;
  const path = `${workspacePath}/${type.path}`;

  app.get<{ Params: WorkspaceParams; Querystring: ListQuery }>(path, async (request) => {
    const workspace = findWorkspace(emulator, request.params);
    const all = containers.list(`${resourceKey(workspace.id)}/${type.path}/`);
    const seen = inView(all, request.query).map((container) => containerBody(store, container));
    return page(request, seen);
  });

  app.get<ContainerRoute>(`${path}/:name`, async (request) => {
    const container = containers.get(resourceKey(containerId(emulator, type, request.params)));
    if (container === undefined) throw notFound(`${type.path}/${request.params.name}`);
    return containerBody(store, container);
  });

  app.put<ContainerRoute>(`${path}/:name`, async (request, reply) => {
    const id = containerId(emulator, type, request.params);
    checkName(request.params.name);
    const { properties } = parseBody(z.object({ properties: containerSchema }), request.body);
    const { value, change } = store.putContainer(id, request.params.name, properties);
    effect(request, { change, kind: type.containerKind, id });
    return reply.code(change === 'created' ? 201 : 200).send(containerBody(store, value));
  });

  app.delete<ContainerRoute>(`${path}/:name`, async (request, reply) => {
    const id = containerId(emulator, type, request.params);
    for (const version of store.versionsOf(id)) store.versions.delete(resourceKey(version.id));
    if (!containers.delete(resourceKey(id))) return reply.code(204).send();
    effect(request, { change: 'deleted', kind: type.containerKind, id });
    return reply.code(200).send();
  });
}

function registerVersions(app: FastifyInstance, emulator: Emulator, store: AssetStore): void {
  const { type, versions } = store;
  const path = `${workspacePath}/${type.path}/:name/versions`;

  app.get<ContainerRoute>(path, async (request) => {
    const all = store.versionsOf(containerId(emulator, type, request.params));
    const seen = inView(all, request.query).map((version) => versionBody(store, version));
    return page(request, seen);
  });

  app.get<VersionRoute>(`${path}/:version`, async (request) => {
    const { name, version } = request.params;
    const found = versions.get(resourceKey(versionId(emulator, type, request.params)));
    if (found === undefined) throw notFound(`${type.path}/${name}/versions/${version}`);
    return versionBody(store, found);
  });

  app.put<VersionRoute>(`${path}/:version`, async (request, reply) => {
    const { name, version } = request.params;
    checkName(name);
    const { properties } = parseBody(z.object({ properties: type.version }), request.body);
    const { value, change } = store.putVersion(containerId(emulator, type, request.params), name, version, properties);
    effect(request, { change, kind: type.versionKind, id: value.id });
    if (change === 'created') reply.code(201).header('location', `https://${request.host}${request.url}`);
    return versionBody(store, value);
  });

  app.delete<VersionRoute>(`${path}/:version`, async (request, reply) => {
    const id = versionId(emulator, type, request.params);
    if (!versions.delete(resourceKey(id))) return reply.code(204).send();
    effect(request, { change: 'deleted', kind: type.versionKind, id });
    return reply.code(200).send();
  });
}

function containerId(emulator: Emulator, type: AssetType, params: ContainerRoute['Params']): string {
  return `${findWorkspace(emulator, params).id}/${type.path}/${params.name}`;
}

function versionId(emulator: Emulator, type: AssetType, params: VersionRoute['Params']): string {
  return `${containerId(emulator, type, params)}/versions/${params.version}`;
}

function checkName(name: string): void {
  if (!namePattern.test(name)) throw userError(`The name '${name}' is invalid: it must match ${namePattern.source}.`);
}

/** Active ones unless the query says otherwise. */
function inView<T extends { properties: Record<string, unknown> }>(all: T[], { listViewType }: ListQuery): T[] {
  const view = listViewType?.toLowerCase() ?? 'activeonly';
  return all.filter(
    ({ properties }) => view === 'all' || (properties.isArchived === true) === (view === 'archivedonly'),
  );
}

function containerBody(store: AssetStore, { id, name, properties, createdAt, modifiedAt }: AssetContainer): unknown {
  const latestVersion = store.versionsOf(id)[0]?.version ?? null;
  return {
    id,
    name,
    type: `${workspaceType}/${store.type.path}`,
    properties: { tags: {}, properties: {}, ...properties, latestVersion, nextVersion: store.nextVersion(id) },
    systemData: systemData(createdAt, modifiedAt),
  };
}

function versionBody({ type }: AssetStore, { id, version, properties, createdAt, modifiedAt }: AssetVersion): unknown {
  return {
    id,
    name: version,
    type: `${workspaceType}/${type.path}/versions`,
    properties: { ...properties, tags: properties.tags ?? {}, properties: properties.properties ?? {} },
    systemData: systemData(createdAt, modifiedAt),
  };
}
