import { effect } from '../../core/journal.js';
import { RegistryError, unknownManifest } from '../errors.js';
import { longestManifestBytes } from '../limits.js';
import { isDigest, repositoryName, tagName } from '../names.js';
import { authorize, part, readBody, type Exchange, type Route } from './exchange.js';
import { checkDeletable, checkWritable } from './locks.js';
import { readManifest } from './manifest-schema.js';

/** Reading, putting and deleting manifests by tag or digest. */
export const manifestRoutes: readonly Route[] = [
  {
    path: /^(?<name>.+)\/manifests\/(?<reference>[^/]+)$/,
    handlers: { GET: sendManifest, HEAD: sendManifest, PUT: putManifest, DELETE: deleteManifest },
  },
];

async function sendManifest(exchange: Exchange): Promise<unknown> {
  const { plane, request, reply } = exchange;
  const repository = repositoryName(part(exchange, 'name'));
  await authorize(exchange, { type: 'repository', name: repository, action: 'pull' });
  const reference = part(exchange, 'reference');
  const manifest = plane.repositories.manifest(repository, reference);
  if (manifest === undefined) throw unknownManifest(repository, reference);
  const bytes = plane.content.read(manifest.digest);
  void reply
    .headers({ 'docker-content-digest': manifest.digest, etag: `"${manifest.digest}"`, 'content-length': bytes.length })
    .type(manifest.mediaType);
  return reply.send(request.method === 'HEAD' ? undefined : bytes);
}

async function putManifest(exchange: Exchange): Promise<unknown> {
  const { plane, request, reply } = exchange;
  const { repositories, content } = plane;
  const repository = repositoryName(part(exchange, 'name'));
  await authorize(
    exchange,
    { type: 'repository', name: repository, action: 'pull' },
    { type: 'repository', name: repository, action: 'push' },
  );
  const reference = part(exchange, 'reference');
  const tag = isDigest(reference) ? undefined : tagName(reference);
  const bytes = await readBody(exchange, longestManifestBytes);
  const manifest = readManifest(bytes, request.headers['content-type'], { repository, repositories, content });
  if (tag === undefined && manifest.digest !== reference) {
    throw new RegistryError(400, 'DIGEST_INVALID', 'provided digest did not match the manifest', {
      detail: { digest: reference, received: manifest.digest },
    });
  }
  if (tag !== undefined) checkWritable(repositories.tag(repository, tag));
  checkWritable(repositories.get(repository));
  content.put(bytes);
  effect(request, repositories.putManifest(repository, manifest, tag));
  return reply
    .code(201)
    .headers({
      location: `/v2/${repository}/manifests/${manifest.digest}`,
      'docker-content-digest': manifest.digest,
    })
    .send();
}

async function deleteManifest(exchange: Exchange): Promise<unknown> {
  const { plane, request, reply } = exchange;
  const repository = repositoryName(part(exchange, 'name'));
  await authorize(exchange, { type: 'repository', name: repository, action: 'delete' });
  const reference = part(exchange, 'reference');
  if (!isDigest(reference)) {
    throw new RegistryError(405, 'UNSUPPORTED', 'a manifest is deleted by its digest; a tag by /acr/v1/NAME/_tags/TAG');
  }
  const manifest = plane.repositories.manifest(repository, reference);
  if (manifest === undefined) throw unknownManifest(repository, reference);
  checkDeletable(manifest);
  plane.repositories.deleteManifest(repository, reference);
  effect(request, { change: 'deleted', kind: 'manifest', id: `${plane.repositories.id(repository)}@${reference}` });
  if (plane.repositories.get(repository) === undefined) plane.collectGarbage();
  return reply.code(202).send();
}
