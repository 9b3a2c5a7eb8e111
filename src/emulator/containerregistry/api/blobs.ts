import { effect } from '../../core/journal.js';
import { RegistryError, unknownBlob } from '../errors.js';
import { digestName, repositoryName } from '../names.js';
import { authorize, part, type Exchange, type Route } from './exchange.js';
import { parseRange } from './range.js';

/** Reading and deleting blobs. */
export const blobRoutes: readonly Route[] = [
  {
    path: /^(?<name>.+)\/blobs\/(?<digest>[^/]+)$/,
    handlers: { GET: sendBlob, HEAD: sendBlob, DELETE: deleteBlob },
  },
];

async function sendBlob(exchange: Exchange): Promise<unknown> {
  const { plane, request, reply } = exchange;
  const repository = repositoryName(part(exchange, 'name'));
  await authorize(exchange, { type: 'repository', name: repository, action: 'pull' });
  const digest = digestName(part(exchange, 'digest'));
  const size = plane.repositories.hasBlob(repository, digest) ? plane.content.size(digest) : undefined;
  if (size === undefined) throw unknownBlob(digest);
  void reply
    .headers({ 'docker-content-digest': digest, 'accept-ranges': 'bytes', etag: `"${digest}"` })
    .type('application/octet-stream');
  if (request.method === 'HEAD') return reply.header('content-length', size).send();

  const range = parseRange(request.headers.range, size);
  if (range === 'unsatisfiable') {
    throw new RegistryError(416, 'SIZE_INVALID', `the blob has ${size} bytes`, {
      headers: { 'content-range': `bytes */${size}` },
    });
  }
  if (range === undefined) return reply.header('content-length', size).send(plane.content.stream(digest));
  return reply
    .code(206)
    .headers({
      'content-length': range.end - range.start + 1,
      'content-range': `bytes ${range.start}-${range.end}/${size}`,
    })
    .send(plane.content.stream(digest, range));
}

async function deleteBlob(exchange: Exchange): Promise<unknown> {
  const { plane, request, reply } = exchange;
  const repository = repositoryName(part(exchange, 'name'));
  await authorize(exchange, { type: 'repository', name: repository, action: 'delete' });
  const digest = digestName(part(exchange, 'digest'));
  if (!plane.repositories.hasBlob(repository, digest)) throw unknownBlob(digest);
  plane.repositories.unlinkBlob(repository, digest);
  effect(request, { change: 'deleted', kind: 'registry-blob', id: `${plane.repositories.id(repository)}@${digest}` });
  return reply.code(202).header('docker-content-digest', digest).send();
}
