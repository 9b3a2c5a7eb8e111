import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { classify } from '../../src/azure/failures.js';
import {
  deleteManifest,
  deleteRepository,
  deleteTag,
  findDigest,
  getLoginServer,
  listManifests,
  openRepository,
  pushImage,
  type RegistryRepository,
} from '../../src/azure/registry.js';
import type { Transfer } from '../../src/azure/transfer.js';
import { recordedAzure, identity, signal, thrownBy } from '../fixtures/azure-wire/place.js';
import type { Answer } from '../fixtures/azure-wire/server.js';
import * as errors from '../fixtures/azure-wire/recordings/errors.js';
import * as recorded from '../fixtures/azure-wire/recordings/registry.js';

const azure = recordedAzure();
const NAME = `slipway/${identity.uid}`;
const V2 = `/v2/${NAME}`;
const ACR = `/acr/v1/${NAME}`;
const MEDIA_TYPE = 'application/vnd.oci.image.manifest.v1+json';
const digestOf = (content: Buffer) => `sha256:${createHash('sha256').update(content).digest('hex')}`;

const layer = Buffer.from('layer');
const blob = { digest: digestOf(layer), size: layer.length, source: { content: layer } };
const manifestContent = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE, layers: [] }));
const manifest = { content: manifestContent, mediaType: MEDIA_TYPE, digest: digestOf(manifestContent) };

/** Every test signs in anew: the token is kept by the client of one repository. */
let repository: RegistryRepository;
beforeEach(async () => {
  azure.wire.on(`GET ${recorded.REGISTRY}`, recorded.registryRead());
  repository = await openRepository(azure.azure, recorded.REGISTRY, NAME, signal());
  azure.wire.reset();
});

/** The first answers to a client without a token: the challenge, a sign-in, and then `answers`. */
function afterSignIn(request: string, ...answers: Answer[]): void {
  azure.wire.on(request, recorded.challenge(`repository:${NAME}:pull`), ...answers);
  azure.wire.on('POST /oauth2/exchange', recorded.exchanged);
  azure.wire.on('POST /oauth2/token', recorded.accessToken);
}
const find = () => findDigest(repository, 't', signal());

describe('the address of a registry', () => {
  it('is what the resource says', async () => {
    azure.wire.on(`GET ${recorded.REGISTRY}`, recorded.registryRead({ loginServer: 'slip-abc123.azurecr.io' }));
    expect(await getLoginServer(azure.azure, recorded.REGISTRY, signal())).toBe('slip-abc123.azurecr.io');
  });

  it('is missing while the registry is made', async () => {
    azure.wire.on(`GET ${recorded.REGISTRY}`, recorded.registryRead({ loginServer: null }));
    const error = await thrownBy(getLoginServer(azure.azure, recorded.REGISTRY, signal()));
    expect(error).toMatchObject({ code: 'RegistryWithoutAddress' });
  });
});

describe('signing in to a registry', () => {
  it('goes where the challenge says, from Entra token to refresh token to access token', async () => {
    afterSignIn(`GET ${V2}/manifests/t`, recorded.manifestRead(manifestContent, manifest.digest, MEDIA_TYPE));
    expect(await find()).toBe(manifest.digest);
    expect(azure.wire.requests).toEqual([
      `GET ${V2}/manifests/t`,
      'POST /oauth2/exchange',
      'POST /oauth2/token',
      `GET ${V2}/manifests/t`,
    ]);
    const [first, exchange, token, again] = azure.wire.asked;
    expect(first?.headers.authorization).toBeUndefined();
    expect(Object.fromEntries(new URLSearchParams(exchange?.body))).toEqual({
      grant_type: 'access_token',
      service: azure.wire.host,
      access_token: 'recorded-entra-token',
    });
    expect(Object.fromEntries(new URLSearchParams(token?.body))).toEqual({
      grant_type: 'refresh_token',
      service: azure.wire.host,
      scope: `repository:${NAME}:pull`,
      refresh_token: recorded.refreshToken,
    });
    expect(again?.headers.authorization).toBe('Bearer recorded-access-token');
  });

  it.each([
    ['the exchange', 'POST /oauth2/exchange'],
    ['the token', 'POST /oauth2/token'],
  ])('waits for a right that is missing: %s is refused', async (_case, refused) => {
    azure.wire.on(`GET ${V2}/manifests/t`, recorded.challenge(`repository:${NAME}:pull`));
    azure.wire.on(refused, recorded.registryError(401, 'UNAUTHORIZED', 'authentication required'));
    azure.wire.on('POST /oauth2/exchange', recorded.exchanged);
    expect(classify(await thrownBy(find()))).toMatchObject({
      code: 'UNAUTHORIZED',
      class: 'retrySlowly',
      status: 401,
      message: 'authentication required',
    });
  });

  it.each([
    ['a right that is missing', recorded.denied, { code: 'DENIED', class: 'retrySlowly', status: 403 }],
    ['throttling', recorded.throttled, { code: 'TOOMANYREQUESTS', class: 'retry', retryAfterSeconds: 2 }],
    ['an empty 503', errors.emptyUnavailable, { code: 'HTTP503', class: 'retry' }],
    ['a page of a proxy', errors.badGatewayPage, { code: 'HTTP502', class: 'retry' }],
    ['a broken connection', 'broken' as const, { code: 'ECONNRESET', class: 'retry', answered: false }],
  ])('is followed by %s', async (_case, answer, expected) => {
    afterSignIn(`GET ${V2}/manifests/t`, answer);
    expect(classify(await thrownBy(find()))).toMatchObject(expected);
    expect(azure.wire.requests).toHaveLength(4);
  });
});

describe('pushing an image', () => {
  const push = () => {
    const told: Transfer[] = [];
    const options = { abortSignal: signal(), onTransfer: (transfer: Transfer) => told.push(transfer) };
    return pushImage(repository, { blobs: [blob], manifest, tags: ['t'] }, options).then(() => told.at(-1));
  };
  const uploads = `${V2}/blobs/uploads/2b28c60d`;

  it('follows the relative addresses of an upload, state and all', async () => {
    afterSignIn(`GET ${V2}/manifests/t`, recorded.manifestUnknown);
    azure.wire.on(`GET ${V2}/blobs/${blob.digest}`, recorded.blobUnknown);
    azure.wire.on(
      `POST ${V2}/blobs/uploads/`,
      recorded.challenge(`repository:${NAME}:pull,push`),
      recorded.uploadStarted(NAME, 'first'),
    );
    azure.wire.on('POST /oauth2/token', recorded.accessToken);
    azure.wire.on(`PATCH ${uploads}`, recorded.uploadStarted(NAME, 'second'));
    azure.wire.on(`PUT ${uploads}`, recorded.created(blob.digest));
    azure.wire.on(`PUT ${V2}/manifests/t`, recorded.created(manifest.digest));
    expect(await push()).toEqual({ total: 5, present: 0, moved: 5, parts: 1, partsPresent: 0 });

    // The right to push is asked for when it is needed; the refresh token serves again.
    expect(azure.wire.requests.slice(4)).toEqual([
      `GET ${V2}/blobs/${blob.digest}`,
      `POST ${V2}/blobs/uploads/`,
      'POST /oauth2/token',
      `POST ${V2}/blobs/uploads/`,
      `PATCH ${uploads}`,
      `PUT ${uploads}`,
      `PUT ${V2}/manifests/t`,
    ]);
    const [patch, put, tagged] = azure.wire.asked.slice(-3);
    expect(patch).toMatchObject({ body: 'layer' });
    expect(patch?.query.get('_state')).toBe('first');
    expect(put?.query.get('_state')).toBe('second');
    expect(put?.query.get('digest')).toBe(blob.digest);
    expect(tagged?.body).toBe(manifestContent.toString());
    expect(tagged?.headers['content-type']).toBe(MEDIA_TYPE);
  });

  it('does not send a blob that lies in the storage behind the registry, nor its token there', async () => {
    afterSignIn(`GET ${V2}/manifests/t`, recorded.manifestUnknown);
    azure.wire.on(`GET ${V2}/blobs/${blob.digest}`, recorded.blobElsewhere);
    azure.wire.on(`GET ${recorded.BLOB_STORAGE}`, recorded.blobContent(layer));
    azure.wire.on(`PUT ${V2}/manifests/t`, recorded.created(manifest.digest));
    expect(await push()).toEqual({ total: 5, present: 5, moved: 0, parts: 1, partsPresent: 1 });
    const stored = azure.wire.asked.find(({ path }) => path === recorded.BLOB_STORAGE);
    expect(stored?.query.get('sig')).toBe('signature');
    expect(stored?.headers.authorization).toBeUndefined();
  });

  it('sends nothing that is there', async () => {
    afterSignIn(`GET ${V2}/manifests/t`, recorded.manifestRead(manifestContent, manifest.digest, MEDIA_TYPE));
    expect(await push()).toBeUndefined();
    expect(azure.wire.requests.filter((request) => !request.includes('/oauth2/'))).toEqual([
      `GET ${V2}/manifests/t`,
      `GET ${V2}/manifests/t`,
    ]);
  });
});

describe('the manifests of a repository', () => {
  it('are listed over pages, with tags or without', async () => {
    const next = `${ACR}/_manifests?last=sha256:a&n=1`;
    afterSignIn(
      `GET ${ACR}/_manifests`,
      recorded.manifestList([{ digest: 'sha256:a', tags: ['t', 'u'] }], next),
      recorded.manifestList([{ digest: 'sha256:b' }]),
    );
    expect(await listManifests(repository, signal())).toEqual([
      { digest: 'sha256:a', tags: ['t', 'u'], createdOn: new Date('2026-09-01T10:15:00.123Z'), bytes: 0 },
      { digest: 'sha256:b', tags: [], createdOn: new Date('2026-09-01T10:15:00.123Z'), bytes: 0 },
    ]);
    expect(azure.wire.asked.at(-1)?.query.get('last')).toBe('sha256:a');
  });

  it('are none where there is no repository', async () => {
    afterSignIn(`GET ${ACR}/_manifests`, recorded.nameUnknown);
    expect(await listManifests(repository, signal())).toEqual([]);
  });

  const accepted = { status: 202, body: '' };
  it.each([
    ['a manifest', `DELETE ${V2}/manifests/sha256:a`, accepted, () => deleteManifest(repository, 'sha256:a', signal())],
    ['a tag', `DELETE ${ACR}/_tags/t`, accepted, () => deleteTag(repository, 't', signal())],
    ['a repository', `DELETE ${ACR}`, { status: 202, body: {} }, () => deleteRepository(repository, signal())],
  ])('are deleted, and deleted again: %s', async (_case, request, answer, remove) => {
    afterSignIn(request, answer, recorded.manifestUnknown);
    await remove();
    await remove();
    expect(azure.wire.requests.filter((each) => each === request)).toHaveLength(3);
  });
});
