import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from '../../src/deployment/digests.js';
import { LocalRegistry, resourceGroup } from '../fixtures/registry.js';
import { push, smallImage } from '../fixtures/small-image.js';

const image = smallImage('what is imported');
let local: LocalRegistry;
let target: { name: string; loginServer: string };

beforeAll(async () => {
  local = await LocalRegistry.start();
  await push(local.content('shelf/a'), image, 'v1');
  target = await create('target');
});
afterAll(() => local?.stop());

async function create(name: string): Promise<typeof target> {
  const parameters = { location: 'eastus', sku: { name: 'Basic' }, adminUserEnabled: true };
  const { loginServer = '' } = await local.management().registries.create(resourceGroup, name, parameters);
  return { name, loginServer };
}

type ImportParameters = Parameters<ReturnType<LocalRegistry['management']>['registries']['importImage']>[2];

const importImage = (
  source: Partial<ImportParameters['source']>,
  more: Partial<ImportParameters> = {},
  into = target.name,
) =>
  local.management().registries.importImage(resourceGroup, into, {
    ...more,
    source: { sourceImage: 'shelf/a:v1', ...source },
  });

/** GET from the target as its admin user. */
async function read(path: string): Promise<{ status: number; body: Buffer }> {
  const { passwords } = await local.management().registries.listCredentials(resourceGroup, target.name);
  const basic = Buffer.from(`${target.name}:${passwords?.[0]?.value ?? ''}`).toString('base64');
  return local.call(`https://${target.loginServer}${path}`, { headers: { authorization: `Basic ${basic}` } });
}

const manifest = async (repository: string, reference: string) =>
  (await read(`/v2/${repository}/manifests/${reference}`)).body;

describe('importing an image', () => {
  it('brings its manifest and blobs, which stay when the source goes', async () => {
    const source = await create('passing');
    const resourceId = local.registry.id;
    await importImage({ resourceId }, {}, source.name);
    const id = local.registry.id.replace(/[^/]+$/, source.name);
    await importImage({ resourceId: id }, { targetTags: ['copies/a:first', 'copies/b'] });
    await local.management().registries.delete(resourceGroup, source.name);
    for (const [repository, tag] of [
      ['copies/a', 'first'],
      ['copies/b', 'latest'],
    ] as const) {
      expect(await manifest(repository, tag)).toEqual(image.manifest.content);
      const layer = await read(`/v2/${repository}/blobs/${digestOf(image.layer)}`);
      expect(layer).toMatchObject({ status: 200, body: image.layer });
    }
  });

  it('goes by digest, and without a tag', async () => {
    const { digest } = image.manifest;
    const sourceImage = `shelf/a@${digest}`;
    await importImage({ resourceId: local.registry.id, sourceImage }, { untaggedTargetRepositories: ['untagged'] });
    expect(await manifest('untagged', digest)).toEqual(image.manifest.content);
    expect((await read('/v2/untagged/manifests/latest')).status).toBe(404);
  });

  it("goes by login server with the admin user's credentials, and not without", async () => {
    const registryUri = local.registry.loginServer;
    const credentials = { username: local.registry.name, password: local.registry.passwords[0] };
    await importImage({ registryUri, credentials }, { targetTags: ['by/server:1'] });
    expect(await manifest('by/server', '1')).toEqual(image.manifest.content);
    const wrong = { username: local.registry.name, password: 'wrong' };
    for (const given of [{ registryUri, credentials: wrong }, { registryUri }, { registryUri: 'elsewhere.example' }]) {
      await expect(importImage(given)).rejects.toMatchObject({ statusCode: 400, code: 'InvalidParameters' });
    }
  });

  it('takes the place of a tag only when it is told to', async () => {
    const source = { resourceId: local.registry.id };
    const targetTags = ['moving:1'];
    await importImage(source, { targetTags });
    await push(local.content('shelf/b'), smallImage('another'), 'v1');
    const other = { ...source, sourceImage: 'shelf/b:v1' };
    await expect(importImage(other, { targetTags })).rejects.toMatchObject({ statusCode: 409, code: 'Conflict' });
    expect(await manifest('moving', '1')).toEqual(image.manifest.content);
    await importImage(other, { targetTags, mode: 'Force' });
    expect(await manifest('moving', '1')).toEqual(smallImage('another').manifest.content);
  });

  it.each([
    ['an image that there is not', { sourceImage: 'shelf/a:v2' }, 404, 'ManifestNotFound'],
    ['a name that is none', { sourceImage: 'Shelf/../a' }, 400, 'InvalidRequestContent'],
    ['a registry that there is not', { resourceId: '/subscriptions/x/none' }, 404, 'ResourceNotFound'],
  ])('is refused for %s', async (_what, source, statusCode, code) => {
    await expect(importImage({ resourceId: local.registry.id, ...source })).rejects.toMatchObject({ statusCode, code });
  });
});
