import { createHash } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { assembleImage, layerMediaType, type LayerDescriptor } from '../../src/image/index.js';

const layer = (digit: string): LayerDescriptor => ({
  mediaType: layerMediaType,
  digest: `sha256:${digit.repeat(64)}`,
  size: 10,
  diffId: `sha256:${digit.toUpperCase().charCodeAt(0).toString(16).padStart(64, '0')}`,
});

const start = { entrypoint: ['/usr/local/bin/node', '/app/server.mjs'], architecture: 'amd64' };

describe('assembleImage', () => {
  it('describes how to start, and the layers, lowest first', () => {
    const layers = [layer('a'), layer('b')];
    const { config, manifest } = assembleImage({
      layers,
      config: { ...start, user: '1000:1000', env: { B: '2', A: '1' }, exposedPorts: ['8501/tcp', '8500/tcp'] },
    });
    expect(JSON.parse(config.content.toString())).toEqual({
      architecture: 'amd64',
      os: 'linux',
      config: {
        User: '1000:1000',
        Env: ['A=1', 'B=2'],
        Entrypoint: start.entrypoint,
        ExposedPorts: { '8500/tcp': {}, '8501/tcp': {} },
      },
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    });
    expect(JSON.parse(manifest.content.toString())).toEqual({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config.digest, size: config.size },
      layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
    });
  });

  it('names blobs by their content', () => {
    const { config, manifest } = assembleImage({ layers: [layer('a')], config: start });
    for (const blob of [config, manifest]) {
      const digest = createHash('sha256').update(blob.content).digest('hex');
      expect(blob).toMatchObject({ digest: `sha256:${digest}`, size: blob.content.length });
    }
  });

  it('gives the same bytes whatever the order of environment variables, ports and labels', () => {
    const image = (env: Record<string, string>, exposedPorts: string[], labels: Record<string, string>) =>
      assembleImage({ layers: [layer('a')], config: { ...start, env, exposedPorts, labels } });
    const one = image({ A: '1', B: '2' }, ['1/tcp', '2/tcp'], { x: '1', y: '2' });
    const two = image({ B: '2', A: '1' }, ['2/tcp', '1/tcp'], { y: '2', x: '1' });
    expect(two.manifest.digest).toBe(one.manifest.digest);
  });
});
