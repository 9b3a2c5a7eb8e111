import { once } from 'node:events';
import { Agent, request as httpsRequest } from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Emulator } from '../core/emulator.js';
import { effect, type Effect } from '../core/journal.js';
import type { Azurite } from './azurite.js';
import { blobFaultBody } from './blob-errors.js';

type FindAzurite = (account: string) => Promise<Azurite> | undefined;

/** A call to the blob service, as its path-style address says. */
interface BlobCall {
  account: string;
  container: string;
  /** Empty where the call is for the container. */
  blob: string;
  /** The query's `comp`: what of the resource the call is about. */
  comp: string | null;
}

/** Passes blob calls on to the account's Azurite, so that faults and journal see them. */
export function registerBlobProxy(app: FastifyInstance, emulator: Emulator, find: FindAzurite): void {
  const agent = new Agent({ keepAlive: true, ca: emulator.certificates.caPem });
  emulator.onClose(async () => agent.destroy());

  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));

  app.all('/*', async (request, reply) => {
    const call = parseCall(request);
    const azurite = await find(call.account);
    if (azurite === undefined) {
      const { contentType, body } = blobFaultBody(404, 'ResourceNotFound', `There is no account ${call.account}.`);
      return reply.code(404).type(contentType).send(body);
    }
    const before = writesBlob(request.method, call) ? await contentMd5(azurite, call) : undefined;
    const response = await forward(request, azurite, agent);
    const change = changeOf(request.method, call, response, before);
    if (change !== undefined) effect(request, { change, ...resourceOf(call) });
    reply.code(response.statusCode ?? 502);
    for (const [name, value] of Object.entries(response.headers)) {
      if (value !== undefined && !hopByHop.has(name)) reply.header(name, value);
    }
    return reply.send(response);
  });
}

const hopByHop = new Set(['connection', 'keep-alive', 'transfer-encoding']);

function parseCall(request: FastifyRequest): BlobCall {
  const url = new URL(request.url, 'https://localhost');
  const [account = '', container = '', ...blob] = url.pathname.slice(1).split('/');
  return { account, container, blob: decodeURIComponent(blob.join('/')), comp: url.searchParams.get('comp') };
}

async function forward(request: FastifyRequest, azurite: Azurite, agent: Agent): Promise<IncomingMessage> {
  const { hostname, port } = new URL(azurite.url);
  // The raw URL: signatures cover it as the client wrote it.
  const { method, url: path, headers } = request.raw;
  // Without it, Azurite's certificate would be held against the host that the client wrote.
  const servername = '';
  const upstream = httpsRequest({ agent, hostname, port, servername, method, path, headers });
  request.raw.pipe(upstream);
  const [response] = (await once(upstream, 'response')) as [IncomingMessage];
  return response;
}

/** Whether a call gives a blob its content. Blocks alone do not. */
function writesBlob(method: string, { blob, comp }: BlobCall): boolean {
  return method === 'PUT' && blob !== '' && (comp === null || comp === 'blocklist');
}

/** The digest of the blob that is there, '' when it has none, undefined when there is no blob. */
async function contentMd5(azurite: Azurite, { container, blob }: BlobCall): Promise<string | undefined> {
  const client = azurite.client.getContainerClient(container).getBlobClient(blob);
  if (!(await client.exists())) return undefined;
  const { contentMD5 } = await client.getProperties();
  return contentMD5 === undefined ? '' : Buffer.from(contentMD5).toString('base64');
}

function changeOf(
  method: string,
  call: BlobCall,
  { statusCode = 0, headers }: IncomingMessage,
  before: string | undefined,
): Effect['change'] | undefined {
  if (method === 'GET' || method === 'HEAD' || call.container === '' || call.comp === 'block') return undefined;
  // What exists, or is not as the condition wants it, stays as it is.
  if (statusCode === 409 || statusCode === 412) return 'unchanged';
  if (statusCode >= 300) return undefined;
  if (method === 'DELETE') return 'deleted';
  if (writesBlob(method, call) && before !== undefined)
    return before !== '' && headers['content-md5'] === before ? 'unchanged' : 'updated';
  return call.comp === null || call.comp === 'blocklist' ? 'created' : 'updated';
}

function resourceOf({ account, container, blob }: BlobCall): Pick<Effect, 'kind' | 'id'> {
  if (blob === '') return { kind: 'blob-container', id: `/${account}/${container}` };
  return { kind: 'blob', id: `/${account}/${container}/${blob}` };
}
