import { describe, expect, it } from 'vitest';
import { renderBuildLog } from '../../src/activities/build-log.js';
import type { Digest } from '../../src/deployment/digests.js';
import { identity } from '../fixtures/azure-wire/place.js';

const digest = (digit: string): Digest => `sha256:${digit.repeat(64)}`;
const version = (name: string, content: Digest) => ({
  name,
  version: '3',
  id: `/models/${name}/versions/3`,
  url: 'azureml://datastores/workspaceblobstore/paths/slipway',
  createdAt: '2026-09-01T10:15:00.000Z',
  digest: content,
});
const layer = (content: 'base' | 'runtime' | 'model', blob: string, diff: string) => ({
  content,
  digest: digest(blob),
  diffId: digest(diff),
  size: 1024,
});

const build = {
  identity,
  image: { repository: 'slipway/0123456789ab', tag: 'eeeeeeeeeeee', digest: digest('1'), releaseDigest: digest('e') },
  content: {
    layers: [layer('base', '2', 'a'), layer('runtime', '3', 'b'), layer('model', '4', 'c')],
    config: { digest: digest('5'), size: 812 },
  },
  source: version('boats', digest('6')),
  converted: version('boats-onnx', digest('7')),
  startedAt: new Date('2026-09-01T10:15:00Z'),
};
const log = (sent?: ReadonlySet<string>) =>
  renderBuildLog({ ...build, sent }, { tf2onnx: '1.17.0', node: '20.20.0' }, new Date('2026-09-01T10:15:04.200Z'));

describe('the build log of an image', () => {
  it('says what went into it, and what of that was sent', () => {
    expect(log(new Set([digest('4'), digest('5')]))).toBe(
      [
        `image         slipway/0123456789ab@${digest('1')}`,
        `release       ${digest('e')}, tag eeeeeeeeeeee`,
        'service       boats, deployment dabcdefghijk',
        `source        boats version 3, ${digest('6')}`,
        `converted     boats-onnx version 3, ${digest('7')}`,
        `base          host: Node.js and the libraries that it links to, ${process.platform} ${process.arch}`,
        `layer base    ${digest('2')}, 1024 bytes, already there`,
        `              uncompressed ${digest('a')}`,
        `layer runtime ${digest('3')}, 1024 bytes, already there`,
        `              uncompressed ${digest('b')}`,
        `layer model   ${digest('4')}, 1024 bytes, sent`,
        `              uncompressed ${digest('c')}`,
        `config        ${digest('5')}, 812 bytes, sent`,
        'tools         tf2onnx 1.17.0, node 20.20.0',
        'built         2026-09-01T10:15:04.200Z, in 4.2 s',
        '',
      ].join('\n'),
    );
  });

  it('says that all was there when nothing was pushed', () => {
    expect(log().match(/already there/g)).toHaveLength(4);
  });
});
