import { z } from 'zod';
import { effect } from '../../core/journal.js';
import { catalogNeed } from '../access.js';
import { RegistryError, unknownManifest, unknownRepository, unknownTag } from '../errors.js';
import { longestFormBytes } from '../limits.js';
import { repositoryName } from '../names.js';
import type { ChangeableAttributes, Manifest, Repository, Tag } from '../storage/repositories.js';
import { authorize, part, query, readBody, type Exchange, type Route } from './exchange.js';
import { page } from './lists.js';
import { checkDeletable } from './locks.js';

/** ACR's own API over repositories, tags and manifests, below `/acr/v1/`. */
export const metadataRoutes: readonly Route[] = [
  { path: /^_catalog$/, handlers: { GET: listRepositories } },
  { path: /^(?<name>.+)\/_tags$/, handlers: { GET: listTags } },
  { path: /^(?<name>.+)\/_tags\/(?<tag>[^/]+)$/, handlers: { GET: getTag, PATCH: patchTag, DELETE: deleteTag } },
  { path: /^(?<name>.+)\/_manifests$/, handlers: { GET: listManifests } },
  { path: /^(?<name>.+)\/_manifests\/(?<digest>[^/]+)$/, handlers: { GET: getManifest, PATCH: patchManifest } },
  { path: /^(?<name>.+)$/, handlers: { GET: getRepository, PATCH: patchRepository, DELETE: deleteRepository } },
];

const attributesPatch = z.object({
  deleteEnabled: z.boolean().optional(),
  writeEnabled: z.boolean().optional(),
  listEnabled: z.boolean().optional(),
  readEnabled: z.boolean().optional(),
});

async function listRepositories(exchange: Exchange): Promise<unknown> {
  await authorize(exchange, catalogNeed);
  const names = exchange.plane.repositories.list().map(({ name }) => name);
  return { repositories: page(exchange, names, (name) => name) };
}

async function getRepository(exchange: Exchange): Promise<unknown> {
  return repositoryBody(exchange, await authorizedRepository(exchange, 'metadata_read'));
}

async function patchRepository(exchange: Exchange): Promise<unknown> {
  const repository = await authorizedRepository(exchange, 'metadata_write');
  const updated = { ...repository, changeableAttributes: await patched(exchange, repository) };
  exchange.plane.repositories.updateRepository(updated);
  return repositoryBody(exchange, updated);
}

async function deleteRepository(exchange: Exchange): Promise<unknown> {
  const { plane, request, reply } = exchange;
  const repository = await authorizedRepository(exchange, 'delete');
  checkDeletable(repository);
  const deleted = plane.repositories.delete(repository.name);
  effect(request, { change: 'deleted', kind: 'repository', id: plane.repositories.id(repository.name) });
  plane.collectGarbage();
  return reply.code(202).send(deleted);
}

async function listTags(exchange: Exchange): Promise<unknown> {
  const repository = await authorizedRepository(exchange, 'metadata_read');
  const digest = query(exchange, 'digest');
  const tags = exchange.plane.repositories
    .tags(repository.name)
    .filter((tag) => digest === undefined || tag.digest === digest);
  const shown = page(exchange, byTime(exchange, tags), ({ name }) => name);
  return { ...place(exchange, repository), tags: shown.map((tag) => ({ ...tag, signed: false })) };
}

async function getTag(exchange: Exchange): Promise<unknown> {
  const repository = await authorizedRepository(exchange, 'metadata_read');
  return { ...place(exchange, repository), tag: findTag(exchange, repository) };
}

async function patchTag(exchange: Exchange): Promise<unknown> {
  const repository = await authorizedRepository(exchange, 'metadata_write');
  const tag = findTag(exchange, repository);
  const updated = { ...tag, changeableAttributes: await patched(exchange, tag) };
  exchange.plane.repositories.updateTag(repository.name, updated);
  return { ...place(exchange, repository), tag: updated };
}

async function deleteTag(exchange: Exchange): Promise<unknown> {
  const { plane, request, reply } = exchange;
  const repository = await authorizedRepository(exchange, 'delete');
  const tag = findTag(exchange, repository);
  checkDeletable(tag);
  plane.repositories.deleteTag(repository.name, tag.name);
  effect(request, { change: 'deleted', kind: 'tag', id: `${plane.repositories.id(repository.name)}:${tag.name}` });
  return reply.code(202).send();
}

async function listManifests(exchange: Exchange): Promise<unknown> {
  const repository = await authorizedRepository(exchange, 'metadata_read');
  const manifests = byTime(exchange, exchange.plane.repositories.manifests(repository.name));
  const shown = page(exchange, manifests, ({ digest }) => digest);
  return {
    ...place(exchange, repository),
    manifests: shown.map((manifest) => manifestBody(exchange, repository, manifest)),
  };
}

async function getManifest(exchange: Exchange): Promise<unknown> {
  const repository = await authorizedRepository(exchange, 'metadata_read');
  const manifest = findManifest(exchange, repository);
  const references = manifest.manifests.map(({ digest, architecture, os }) => ({ digest, architecture, os }));
  return {
    ...place(exchange, repository),
    manifest: { ...manifestBody(exchange, repository, manifest), ...(references.length > 0 && { references }) },
  };
}

async function patchManifest(exchange: Exchange): Promise<unknown> {
  const repository = await authorizedRepository(exchange, 'metadata_write');
  const manifest = findManifest(exchange, repository);
  const updated = { ...manifest, changeableAttributes: await patched(exchange, manifest) };
  exchange.plane.repositories.updateManifest(repository.name, updated);
  return { ...place(exchange, repository), manifest: manifestBody(exchange, repository, updated) };
}

async function authorizedRepository(exchange: Exchange, action: string): Promise<Repository> {
  const name = repositoryName(part(exchange, 'name'));
  await authorize(exchange, { type: 'repository', name, action });
  const repository = exchange.plane.repositories.get(name);
  if (repository === undefined) throw unknownRepository(name);
  return repository;
}

function findTag(exchange: Exchange, repository: Repository): Tag {
  const name = part(exchange, 'tag');
  const tag = exchange.plane.repositories.tag(repository.name, name);
  if (tag === undefined) throw unknownTag(repository.name, name);
  return tag;
}

function findManifest(exchange: Exchange, repository: Repository): Manifest {
  const digest = part(exchange, 'digest');
  const manifest = exchange.plane.repositories.manifest(repository.name, digest);
  if (manifest === undefined) throw unknownManifest(repository.name, digest);
  return manifest;
}

async function patched(
  exchange: Exchange,
  { changeableAttributes }: { changeableAttributes: ChangeableAttributes },
): Promise<ChangeableAttributes> {
  try {
    const { deleteEnabled, writeEnabled, listEnabled, readEnabled } = attributesPatch.parse(
      JSON.parse((await readBody(exchange, longestFormBytes)).toString()),
    );
    return {
      deleteEnabled: deleteEnabled ?? changeableAttributes.deleteEnabled,
      writeEnabled: writeEnabled ?? changeableAttributes.writeEnabled,
      listEnabled: listEnabled ?? changeableAttributes.listEnabled,
      readEnabled: readEnabled ?? changeableAttributes.readEnabled,
    };
  } catch (error) {
    if (error instanceof RegistryError) throw error;
    throw new RegistryError(400, 'UNKNOWN', 'the request body is not a set of changeable attributes');
  }
}

function byTime<T extends { lastUpdateTime: string }>(exchange: Exchange, items: readonly T[]): T[] {
  const order = query(exchange, 'orderby');
  const ascending = [...items].sort((a, b) => a.lastUpdateTime.localeCompare(b.lastUpdateTime));
  if (order === 'timedesc') return ascending.reverse();
  return order === 'timeasc' ? ascending : [...items];
}

function place({ plane }: Exchange, { name }: Repository): { registry: string; imageName: string } {
  return { registry: plane.registry().loginServer, imageName: name };
}

function repositoryBody(exchange: Exchange, repository: Repository): Record<string, unknown> {
  const { createdTime, lastUpdateTime, changeableAttributes, name } = repository;
  return {
    ...place(exchange, repository),
    createdTime,
    lastUpdateTime,
    manifestCount: exchange.plane.repositories.manifests(name).length,
    tagCount: exchange.plane.repositories.tags(name).length,
    changeableAttributes,
  };
}

function manifestBody({ plane }: Exchange, repository: Repository, manifest: Manifest): Record<string, unknown> {
  const { blobs: _, manifests: __, ...body } = manifest;
  const tags = plane.repositories.tags(repository.name).filter(({ digest }) => digest === manifest.digest);
  return { ...body, ...(tags.length > 0 && { tags: tags.map(({ name }) => name) }) };
}
