import { describe, expect, it } from 'vitest';
import { releaseDigest } from '../../src/activities/release-image.js';
import { digestOf } from '../../src/deployment/digests.js';

const release: Parameters<typeof releaseDigest>[0] = {
  source: { name: 'flowers', digest: digestOf('source') },
  converted: { digest: digestOf('converted') },
  scoring: { replicas: 1, cpu: '1', memory: '1Gi', auth: 'key', connectionAgeSeconds: 300 },
  image: { layers: [{ diffId: digestOf('base') }, { diffId: digestOf('model') }] },
};

describe('the digest of a release', () => {
  it('is the same for the same', () => {
    expect(releaseDigest(structuredClone(release))).toBe(releaseDigest(release));
  });

  it.each<[string, Partial<typeof release>]>([
    ['another model name', { source: { ...release.source, name: 'roses' } }],
    ['another source model', { source: { ...release.source, digest: digestOf('other') } }],
    ['another conversion', { converted: { digest: digestOf('other') } }],
    ['another setting', { scoring: { ...release.scoring, replicas: 2 } }],
    ['another layer', { image: { layers: [{ diffId: digestOf('other') }, { diffId: digestOf('model') }] } }],
  ])('differs with %s', (_what, change) => {
    expect(releaseDigest({ ...release, ...change })).not.toBe(releaseDigest(release));
  });
});
