import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { parseBody } from '../arm/body.js';
import { ArmError, badRequest, conflict } from '../arm/errors.js';
import { resourceKey } from '../arm/resource-id.js';
import type { Emulator } from '../core/emulator.js';
import { effect, type Effect } from '../core/journal.js';
import { retryAfterSeconds } from '../core/limits.js';
import { importSeconds } from './limits.js';
import { digestName, isDigest, repositoryName, tagName } from './names.js';
import { findRegistry, isAdmin, registries, registryPath, type Registry, type RegistryRoute } from './registries.js';
import { registryService } from './service.js';
import { copyManifest } from './storage/copy.js';

const importOperation = 'container-registry-import';

const credentialsSchema = z.looseObject({ username: z.string().optional(), password: z.string() });
const importSchema = z.looseObject({
  source: z.looseObject({
    resourceId: z.string().optional(),
    registryUri: z.string().optional(),
    credentials: credentialsSchema.optional(),
    sourceImage: z.string().min(1),
  }),
  targetTags: z.array(z.string()).default([]),
  untaggedTargetRepositories: z.array(z.string()).default([]),
  mode: z.enum(['NoForce', 'Force']).default('NoForce'),
});

type ImportRequest = z.output<typeof importSchema>;

/** An image by its repository and a tag or digest. */
interface ImageName {
  repository: string;
  reference?: string;
}

/** Where an image goes. */
interface Target {
  repository: string;
  tag?: string;
}

/** Copying images from one registry of this Azure into another, or within one. */
export function registerImport(app: FastifyInstance, emulator: Emulator): void {
  // The copy is made before the call is answered; the operation only takes its time.
  emulator.operations.define(importOperation, { onSucceeded: () => undefined, onFailed: () => undefined });

  app.post<RegistryRoute>(`${registryPath}/importImage`, async (request, reply) => {
    const target = findRegistry(emulator, request.params);
    const wanted = parseBody(importSchema, request.body);
    const change = copyImage(emulator, findSource(emulator, wanted), target, wanted);
    if (change !== undefined) effect(request, change);
    const { resultUrl } = emulator.operations.begin(request, {
      type: importOperation,
      resourceId: target.id,
      provider: 'Microsoft.ContainerRegistry',
      region: target.location,
      seconds: importSeconds,
    });
    return reply.code(202).headers({ location: resultUrl, 'retry-after': retryAfterSeconds }).send();
  });
}

/** @throws ArmError where the source is no registry of this Azure, or does not let the caller in */
function findSource(emulator: Emulator, { source: { resourceId, registryUri, credentials } }: ImportRequest): Registry {
  if (resourceId !== undefined) {
    const found = registries(emulator).get(resourceKey(resourceId));
    if (found !== undefined) return found;
    throw new ArmError(404, 'ResourceNotFound', `The registry '${resourceId}' was not found.`);
  }
  const found = registries(emulator)
    .list()
    .find(({ loginServer }) => loginServer === registryUri);
  if (found === undefined) {
    const message = `The source registry '${registryUri ?? ''}' is not one of this Azure, which reaches no others.`;
    throw badRequest('InvalidParameters', message);
  }
  if (credentials && isAdmin(found, credentials.username ?? '', credentials.password)) return found;
  throw badRequest('InvalidParameters', `The source registry '${found.loginServer}' refused the credentials.`);
}

/** Returns what changed. Throws ArmError where there is no such image, or something else has its tag. */
function copyImage(emulator: Emulator, source: Registry, target: Registry, wanted: ImportRequest): Effect | undefined {
  const service = registryService(emulator);
  const { repository, reference = 'latest' } = imageName(wanted.source.sourceImage);
  const from = { repositories: service.repositories(source.name), repository };
  const manifest = from.repositories.manifest(repository, reference);
  if (manifest === undefined) {
    const message = `The image '${wanted.source.sourceImage}' was not found in ${source.loginServer}.`;
    throw new ArmError(404, 'ManifestNotFound', message);
  }
  const repositories = service.repositories(target.name);
  const targets = targetsOf(wanted);
  const taken = targets.find((each) => each.tag !== undefined && repositories.tag(each.repository, each.tag));
  if (taken?.tag !== undefined && wanted.mode === 'NoForce') {
    throw conflict('Conflict', `Tag ${taken.repository}:${taken.tag} already exists in target registry.`);
  }
  const changes = targets.map((each) =>
    copyManifest(from, { repositories, repository: each.repository }, manifest, each.tag),
  );
  return changes.find(({ change }) => change !== 'unchanged') ?? changes[0];
}

/** What the image is to be called in the target: as in the source unless something else is said. At least one. */
function targetsOf({ source, targetTags, untaggedTargetRepositories }: ImportRequest): Target[] {
  const untagged = untaggedTargetRepositories.map((name) => ({ repository: repositoryName(name) }));
  const named = targetTags.length + untagged.length === 0 ? [source.sourceImage] : targetTags;
  const tagged = named.map((name) => {
    const { repository, reference = 'latest' } = imageName(name);
    return { repository, ...(!isDigest(reference) && { tag: reference }) };
  });
  return [...tagged, ...untagged];
}

/** Reads `REPOSITORY`, `REPOSITORY:TAG` and `REPOSITORY@DIGEST`. Throws where a part is not well-formed. */
function imageName(text: string): ImageName {
  const [name = '', digest] = text.split('@');
  if (digest !== undefined) return { repository: repositoryName(name), reference: digestName(digest) };
  const [repository = '', tag] = name.split(':');
  return { repository: repositoryName(repository), ...(tag !== undefined && { reference: tagName(tag) }) };
}
