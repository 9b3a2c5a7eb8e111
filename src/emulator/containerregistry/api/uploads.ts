import type { FastifyReply } from 'fastify';
import { effect } from '../../core/journal.js';
import { RegistryError } from '../errors.js';
import { digestName, isDigest, repositoryName } from '../names.js';
import type { Upload } from '../storage/uploads.js';
import { authorize, body, isAuthorized, part, query, type Exchange, type Route } from './exchange.js';
import { parseContentRange } from './range.js';

/** Uploading blobs: in one request, in chunks, or by mounting what another repository has. */
export const uploadRoutes: readonly Route[] = [
  { path: /^(?<name>.+)\/blobs\/uploads\/?$/, handlers: { POST: beginUpload } },
  {
    path: /^(?<name>.+)\/blobs\/uploads\/(?<id>[^/]+)$/,
    handlers: { GET: uploadStatus, PATCH: appendChunk, PUT: finishUpload, DELETE: cancelUpload },
  },
];

async function beginUpload(exchange: Exchange): Promise<unknown> {
  const { plane, reply } = exchange;
  const repository = await authorizePush(exchange);
  if (await mount(exchange, repository)) return reply;
  const upload = plane.uploads.begin(repository);
  const digest = query(exchange, 'digest');
  if (digest !== undefined) return commit(exchange, repository, upload, digest);
  return progress(reply.code(202), repository, upload);
}

/** Links a blob of another repository, where it is there and the caller may read it. */
async function mount(exchange: Exchange, repository: string): Promise<boolean> {
  const { plane, request, reply } = exchange;
  const digest = query(exchange, 'mount');
  const from = query(exchange, 'from');
  if (digest === undefined || from === undefined || !isDigest(digest)) return false;
  if (!plane.repositories.hasBlob(from, digest) || plane.content.size(digest) === undefined) return false;
  if (!(await isAuthorized(exchange, { type: 'repository', name: from, action: 'pull' }))) return false;
  effect(request, plane.repositories.linkBlob(repository, digest));
  created(reply, repository, digest);
  return true;
}

async function uploadStatus(exchange: Exchange): Promise<unknown> {
  const { repository, upload } = await findUpload(exchange);
  return progress(exchange.reply.code(204), repository, upload);
}

async function appendChunk(exchange: Exchange): Promise<unknown> {
  const { repository, upload } = await findUpload(exchange);
  checkContinues(exchange, upload);
  const grown = await exchange.plane.uploads.append(upload, body(exchange));
  return progress(exchange.reply.code(202), repository, grown);
}

async function finishUpload(exchange: Exchange): Promise<unknown> {
  const { repository, upload } = await findUpload(exchange);
  checkContinues(exchange, upload);
  return commit(exchange, repository, upload, query(exchange, 'digest'));
}

async function cancelUpload(exchange: Exchange): Promise<unknown> {
  const { upload } = await findUpload(exchange);
  exchange.plane.uploads.cancel(upload);
  return exchange.reply.code(204).send();
}

async function commit(exchange: Exchange, repository: string, upload: Upload, rawDigest?: string): Promise<unknown> {
  const { plane, request, reply } = exchange;
  const digest = digestName(rawDigest);
  const whole = await plane.uploads.append(upload, body(exchange));
  const change = await plane.uploads.finish(whole, digest, () => plane.repositories.linkBlob(repository, digest));
  effect(request, change);
  return created(reply, repository, digest);
}

async function findUpload(exchange: Exchange): Promise<{ repository: string; upload: Upload }> {
  const repository = await authorizePush(exchange);
  return { repository, upload: exchange.plane.uploads.find(repository, part(exchange, 'id')) };
}

async function authorizePush(exchange: Exchange): Promise<string> {
  const name = repositoryName(part(exchange, 'name'));
  await authorize(exchange, { type: 'repository', name, action: 'pull' }, { type: 'repository', name, action: 'push' });
  return name;
}

function checkContinues({ request, reply }: Exchange, upload: Upload): void {
  const chunk = parseContentRange(request.headers['content-range']);
  if (chunk === undefined || chunk.start === upload.offset) return;
  throw new RegistryError(416, 'BLOB_UPLOAD_INVALID', `the upload goes on at byte ${upload.offset}`, {
    headers: { range: receivedRange(upload), location: String(reply.request.url.split('?')[0]) },
  });
}

/** Says how far an upload is. The Location is relative: Azure's own client insists on that. */
function progress(reply: FastifyReply, repository: string, upload: Upload): FastifyReply {
  return reply
    .headers({
      location: `/v2/${repository}/blobs/uploads/${upload.id}`,
      range: receivedRange(upload),
      'docker-upload-uuid': upload.id,
    })
    .send();
}

function created(reply: FastifyReply, repository: string, digest: string): FastifyReply {
  return reply
    .code(201)
    .headers({ location: `/v2/${repository}/blobs/${digest}`, 'docker-content-digest': digest })
    .send();
}

function receivedRange({ offset }: Upload): string {
  return `0-${Math.max(0, offset - 1)}`;
}
