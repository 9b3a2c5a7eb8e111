import { readdir } from 'node:fs/promises';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { digestOf } from '../../src/deployment/digests.js';
import { LocalRegistry } from '../fixtures/registry.js';
import { push, smallImage } from '../fixtures/small-image.js';

const octets = { 'content-type': 'application/octet-stream' };
const code = (body: Buffer): string | undefined =>
  (JSON.parse(body.toString()) as { errors: { code: string }[] }).errors[0]?.code;

describe('the distribution protocol of a container registry', () => {
  let local: LocalRegistry;

  beforeEach(async () => {
    local = await LocalRegistry.start();
  });

  afterEach(async () => {
    await local.stop();
  });

  async function begin(repository: string): Promise<string> {
    const { status, headers } = await local.asAdmin(`/v2/${repository}/blobs/uploads/`, { method: 'POST' });
    expect(status).toBe(202);
    return headers.location ?? '';
  }

  const finish = (location: string, digest: string, body: Uint8Array) =>
    local.asAdmin(`${location}?digest=${digest}`, { method: 'PUT', headers: octets, body });

  it('goes on with an upload, and serves at the same address, after a restart', async () => {
    const blob = Buffer.from('first half, second half');
    const location = await begin('app');
    await local.asAdmin(location, { method: 'PATCH', headers: octets, body: blob.subarray(0, 10) });
    const before = local.registry.loginServer;
    local = await local.restart();
    expect(local.registry.loginServer).toBe(before);

    expect((await local.asAdmin(location)).headers.range).toBe('0-9');
    const headers = { ...octets, 'content-range': `10-${blob.length - 1}` };
    await local.asAdmin(location, { method: 'PATCH', headers, body: blob.subarray(10) });
    expect((await finish(location, digestOf(blob), Buffer.alloc(0))).status).toBe(201);
    local = await local.restart();
    expect((await local.asAdmin(`/v2/app/blobs/${digestOf(blob)}`)).body).toEqual(blob);
  });

  it('refuses a chunk that leaves a gap, and says where the upload is', async () => {
    const location = await begin('app');
    const headers = { ...octets, 'content-range': '5-9' };
    const answer = await local.asAdmin(location, { method: 'PATCH', headers, body: 'abcde' });
    expect([answer.status, answer.headers.range, code(answer.body)]).toEqual([416, '0-0', 'BLOB_UPLOAD_INVALID']);
  });

  it('keeps nothing of an upload with the wrong digest', async () => {
    const body = Buffer.from('content');
    const wrong = digestOf(Buffer.from('other'));
    const location = await begin('app');
    expect(code((await finish(location, wrong, body)).body)).toBe('DIGEST_INVALID');
    expect((await local.asAdmin(`/v2/app/blobs/${wrong}`)).status).toBe(404);
    expect((await local.asAdmin(`/v2/app/blobs/${digestOf(body)}`)).status).toBe(404);
    expect(code((await local.asAdmin(location)).body)).toBe('BLOB_UPLOAD_UNKNOWN');
  });

  it.each([
    ['bytes=2-4', 206, 'cde', 'bytes 2-4/10'],
    ['bytes=7-', 206, 'hij', 'bytes 7-9/10'],
    ['bytes=-2', 206, 'ij', 'bytes 8-9/10'],
    ['7-', 206, 'hij', 'bytes 7-9/10'],
    ['bytes=8-99', 206, 'ij', 'bytes 8-9/10'],
    ['bytes=0-1,4-5', 200, 'abcdefghij', undefined],
    ['bytes=10-', 416, undefined, 'bytes */10'],
  ])('answers the range %s with %i', async (range, status, content, contentRange) => {
    const blob = Buffer.from('abcdefghij');
    await finish(await begin('app'), digestOf(blob), blob);
    const answer = await local.asAdmin(`/v2/app/blobs/${digestOf(blob)}`, { headers: { range } });
    expect([answer.status, answer.headers['content-range']]).toEqual([status, contentRange]);
    if (content !== undefined) expect(answer.body.toString()).toBe(content);
  });

  it('mounts a blob from another repository, and begins an upload where there is none', async () => {
    const blob = Buffer.from('shared');
    await finish(await begin('one'), digestOf(blob), blob);
    const mount = (digest: string) =>
      local.asAdmin(`/v2/two/blobs/uploads/?mount=${digest}&from=one`, { method: 'POST' });
    expect((await local.asAdmin(`/v2/two/blobs/${digestOf(blob)}`)).status).toBe(404);
    expect((await mount(digestOf(blob))).status).toBe(201);
    expect((await local.asAdmin(`/v2/two/blobs/${digestOf(blob)}`)).body).toEqual(blob);
    expect((await mount(digestOf(Buffer.from('nowhere')))).status).toBe(202);
  });

  it.each([
    ['a layer that is not there', 'MANIFEST_BLOB_UNKNOWN', smallImage('missing').manifest.content],
    ['no JSON', 'MANIFEST_INVALID', Buffer.from('{')],
    ['no manifest', 'MANIFEST_INVALID', Buffer.from('{"schemaVersion":2}')],
  ])('refuses a manifest with %s', async (_what, expected, body) => {
    const headers = { 'content-type': 'application/vnd.oci.image.manifest.v1+json' };
    const answer = await local.asAdmin('/v2/app/manifests/v1', { method: 'PUT', headers, body });
    expect(code(answer.body)).toBe(expected);
    expect((await local.asAdmin('/v2/app/manifests/v1')).status).toBe(404);
  });

  it('takes an index of manifests that are there, and no other', async () => {
    const image = smallImage('a layer');
    await push(local.content('app'), image, 'v1');
    const mediaType = 'application/vnd.oci.image.index.v1+json';
    const put = (digest: string) =>
      local.asAdmin('/v2/app/manifests/all', {
        method: 'PUT',
        headers: { 'content-type': mediaType },
        body: JSON.stringify({
          schemaVersion: 2,
          manifests: [{ mediaType: image.manifest.mediaType, digest, size: image.manifest.size }],
        }),
      });
    expect(code((await put(digestOf('absent'))).body)).toBe('MANIFEST_UNKNOWN');
    expect((await put(image.manifest.digest)).status).toBe(201);
    expect((await local.asAdmin('/v2/app/manifests/all')).headers['content-type']).toBe(mediaType);
  });

  it('deletes manifests by digest only', async () => {
    await push(local.content('app'), smallImage('a layer'), 'v1');
    expect((await local.asAdmin('/v2/app/manifests/v1', { method: 'DELETE' })).status).toBe(405);
  });

  it.each([
    ['/v2/_catalog?n=1', '/v2/_catalog?n=1&last=app%2Fa'],
    ['/v2/app/b/tags/list?n=1', '/v2/app/b/tags/list?n=1&last=v1'],
  ])('links from %s to the next page, and from the last to none', async (first, second) => {
    const image = smallImage('a layer');
    await push(local.content('app/a'), image, 'v1');
    await push(local.content('app/b'), image, 'v1');
    await push(local.content('app/b'), image, 'v2');
    expect((await local.asAdmin(first)).headers.link).toBe(`<${second}>; rel="next"`);
    expect((await local.asAdmin(second)).headers.link).toBeUndefined();
  });

  it('does the work when its reply is lost, and the repeat changes nothing', async () => {
    const image = smallImage('a layer');
    local.emulator.faults.add({
      name: 'lost',
      match: { service: 'registry', method: 'PUT', path: '/manifests/', nth: 1 },
      times: 1,
      when: 'after',
      then: { reset: true },
    });
    await expect(push(local.content('app'), image, 'v1')).rejects.toMatchObject({ code: 'ECONNRESET' });
    await push(local.content('app'), image, 'v1');
    const manifests = local.effects().filter((effect) => effect?.kind === 'manifest');
    expect(manifests.map((effect) => effect?.change)).toEqual(['created', 'unchanged']);
  });

  it('answers an injected error the way a registry does', async () => {
    local.emulator.faults.add({
      name: 'busy',
      match: { service: 'registry', path: '/v2/', nth: 1 },
      times: 1,
      when: 'before',
      then: { status: 503, code: 'TOOMANYREQUESTS' },
    });
    const answer = await local.asAdmin('/v2/');
    expect([answer.status, code(answer.body)]).toEqual([503, 'TOOMANYREQUESTS']);
  });

  it('removes blobs with their repository once nothing can be waiting for them, and shared ones never', async () => {
    const shared = Buffer.from('shared layer');
    await push(local.content('one'), smallImage('shared layer'), 'v1');
    await push(local.content('two'), smallImage('shared layer'), 'v1');
    const own = smallImage('layer of one');
    await push(local.content('one'), own, 'v2');
    local.emulator.clock.advance(2 * 3600_000);
    await local.client().deleteRepository('one');
    const files = await readdir(path.join(local.state, 'registry', 'blobs'));
    expect(files.map((name) => `sha256:${name}`)).toEqual(expect.not.arrayContaining([digestOf(own.layer)]));
    expect((await local.asAdmin(`/v2/two/blobs/${digestOf(shared)}`)).body).toEqual(shared);

    const before = local.lastSeq;
    await local.content('one').uploadBlob(own.layer);
    expect(local.effects(before)).toMatchObject([{ change: 'created', kind: 'registry-blob' }]);
  });
});
