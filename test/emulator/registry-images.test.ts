import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { digestOf } from '../../src/deployment/digests.js';
import { LocalRegistry } from '../fixtures/registry.js';
import { push, smallImage } from '../fixtures/small-image.js';

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

describe('images in a container registry, by the Azure SDK', () => {
  let local: LocalRegistry;

  beforeAll(async () => {
    local = await LocalRegistry.start();
  });

  afterAll(async () => {
    await local.stop();
  });

  it('gives back what was pushed', async () => {
    const image = smallImage('layer of a');
    const content = local.content('slipway/a');
    await push(content, image, 'v1');
    expect(await content.getManifest('v1')).toMatchObject({
      digest: image.manifest.digest,
      mediaType: image.manifest.mediaType,
      content: image.manifest.content,
    });
    const chunks = await all((await content.downloadBlob(digestOf(image.layer))).content as AsyncIterable<Buffer>);
    expect(Buffer.concat(chunks)).toEqual(image.layer);
  });

  it('takes blobs of more than one chunk', async () => {
    const content = local.content('slipway/large');
    const blob = Buffer.alloc(9 * 1024 * 1024, 'chunked');
    expect(await content.uploadBlob(blob)).toEqual({ digest: digestOf(blob), sizeInBytes: blob.length });
  });

  it('changes nothing when the same image is pushed again, and only the tag when it has another one', async () => {
    const image = smallImage('layer of b');
    const content = local.content('slipway/b');
    await push(content, image, 'v1');
    const before = local.lastSeq;
    await push(content, image, 'v1');
    await content.setManifest(image.manifest.content, { tag: 'v2' });
    expect(local.effects(before)).toEqual([
      { change: 'unchanged', kind: 'registry-blob', id: `images/slipway/b@${digestOf(image.layer)}` },
      { change: 'unchanged', kind: 'registry-blob', id: `images/slipway/b@${image.config.digest}` },
      { change: 'unchanged', kind: 'manifest', id: `images/slipway/b@${image.manifest.digest}` },
      { change: 'created', kind: 'tag', id: 'images/slipway/b:v2' },
    ]);
  });

  it('describes repositories, manifests and tags', async () => {
    const image = smallImage('layer of c');
    const content = local.content('slipway/c');
    await push(content, image, 'v1');
    await content.setManifest(image.manifest.content, { tag: 'v2' });
    const repository = local.client().getRepository('slipway/c');
    expect(await repository.getProperties()).toMatchObject({ name: 'slipway/c', manifestCount: 1, tagCount: 2 });
    expect(await all(repository.listManifestProperties())).toMatchObject([
      { digest: image.manifest.digest, tags: ['v1', 'v2'], architecture: 'amd64', operatingSystem: 'linux' },
    ]);
    const tags = await all(repository.getArtifact('v1').listTagProperties());
    expect(tags).toMatchObject([{ name: 'v1' }, { name: 'v2' }]);
    expect(await repository.getArtifact('v2').getManifestProperties()).toMatchObject({ digest: image.manifest.digest });
  });

  it('pages lists by links', async () => {
    for (const name of ['p/1', 'p/2', 'p/3']) await push(local.content(name), smallImage(name), 'v1');
    const pages: string[][] = [];
    for await (const page of local.client().listRepositoryNames().byPage({ maxPageSize: 2 })) pages.push([...page]);
    expect(pages.length).toBeGreaterThan(1);
    expect(pages.flat()).toEqual(expect.arrayContaining(['p/1', 'p/2', 'p/3']));
    expect(new Set(pages.flat()).size).toBe(pages.flat().length);
  });

  it('forgets a repository with its last manifest, tags included', async () => {
    const image = smallImage('layer of d');
    await push(local.content('slipway/d'), image, 'v1');
    const before = local.lastSeq;
    const repository = local.client().getRepository('slipway/d');
    await repository.getArtifact('v1').delete();
    expect(await all(local.client().listRepositoryNames())).not.toContain('slipway/d');
    await expect(repository.getProperties()).rejects.toMatchObject({ statusCode: 404 });
    await expect(local.content('slipway/d').getManifest('v1')).rejects.toMatchObject({ statusCode: 404 });
    expect(local.effects(before)).toEqual([
      { change: 'deleted', kind: 'manifest', id: `images/slipway/d@${image.manifest.digest}` },
    ]);
  });

  it('makes a repository anew after its last manifest has gone', async () => {
    const content = local.content('slipway/anew');
    const repository = local.client().getRepository('slipway/anew');
    await push(content, smallImage('first'), 'v1');
    const { createdOn: first } = await repository.getProperties();
    await repository.getArtifact('v1').delete();
    local.emulator.clock.advance(60_000);
    await push(content, smallImage('second'), 'v1');
    expect((await repository.getProperties()).createdOn.getTime()).toBeGreaterThan(first.getTime() + 59_000);
  });

  it('deletes a tag and leaves its manifest', async () => {
    const image = smallImage('layer of e');
    await push(local.content('slipway/e'), image, 'v1');
    const repository = local.client().getRepository('slipway/e');
    await repository.getArtifact('v1').deleteTag('v1');
    expect(await repository.getProperties()).toMatchObject({ manifestCount: 1, tagCount: 0 });
    expect((await local.content('slipway/e').getManifest(image.manifest.digest)).digest).toBe(image.manifest.digest);
  });

  it('deletes a repository, once', async () => {
    await push(local.content('slipway/f'), smallImage('layer of f'), 'v1');
    const before = local.lastSeq;
    await local.client().deleteRepository('slipway/f');
    await local.client().deleteRepository('slipway/f');
    expect(local.effects(before)).toEqual([{ change: 'deleted', kind: 'repository', id: 'images/slipway/f' }]);
  });

  it('refuses to delete or move what is locked', async () => {
    const image = smallImage('layer of g');
    const content = local.content('slipway/g');
    await push(content, image, 'v1');
    const artifact = local.client().getRepository('slipway/g').getArtifact('v1');
    await artifact.updateManifestProperties({ canDelete: false });
    await artifact.updateTagProperties('v1', { canWrite: false });
    await expect(artifact.delete()).rejects.toMatchObject({ statusCode: 405 });
    await expect(push(content, smallImage('another layer'), 'v1')).rejects.toMatchObject({ statusCode: 405 });
  });

  it('lists repositories and manifests under the places where they are found', async () => {
    const image = smallImage('layer of h');
    await push(local.content('slipway/h'), image, 'rel');
    await local.content('slipway/h').setManifest(image.manifest.content, { tag: 'd123' });
    expect(await local.emulator.inventory.list({ owner: 'h/d123' })).toEqual([
      { kind: 'repository', id: 'images/slipway/h', name: 'slipway/h', owner: 'slipway/h/d123 slipway/h/rel' },
      {
        kind: 'manifest',
        id: `images/slipway/h@${image.manifest.digest}`,
        name: `slipway/h@${image.manifest.digest}`,
        owner: 'slipway/h/d123 slipway/h/rel',
      },
    ]);
    await local.client().getRepository('slipway/h').getArtifact('rel').delete();
    expect(await local.emulator.inventory.list({ owner: 'slipway/h' })).toEqual([]);
  });
});
