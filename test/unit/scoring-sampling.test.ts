import { fileURLToPath } from 'node:url';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { beforeAll, describe, expect, it } from 'vitest';

import type { Sampling } from '../../src/deployment/converted-model.js';
import { ImageSampler } from '../../src/scoring/server/image-sampler.js';
import { MAX_KEPT_GEOMETRIES } from '../../src/scoring/server/limits.js';
import type { Pixels } from '../../src/scoring/server/pixels.js';

/** Graphs that generate.py beside them writes: the truth, and the geometry that they share. */
const GRAPHS = fileURLToPath(new URL('../fixtures/sampling', import.meta.url));

const sampling = (coordinates: Sampling['coordinates']): Sampling => ({
  geometry: { file: 'geometry.onnx', sha256: '' },
  coordinates,
  size: [8, 8],
  channels: [2, 1, 0],
  scale: [0.5, 0.25, 2],
  offset: [-1, 0, 10],
});

/** A photo without order, so that every wrong pixel shows. */
function photo(height: number, width: number): Pixels {
  let state = height * 65537 + width;
  const data = Uint8Array.from({ length: height * width * 3 }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
  return { height, width, data };
}

async function sampled(sampler: ImageSampler, pixels: Pixels): Promise<Float32Array> {
  const image = new Float32Array(8 * 8 * 3);
  await sampler.sample(pixels, image);
  return image;
}

describe.each(['half_pixel', 'asymmetric', 'align_corners'] as const)(
  'an image that is sampled by %s',
  (coordinates) => {
    let sampler: ImageSampler;
    let graph: InferenceSession;

    beforeAll(async () => {
      sampler = await ImageSampler.load(GRAPHS, sampling(coordinates), {});
      graph = await InferenceSession.create(`${GRAPHS}/${coordinates}.onnx`);
    });

    it.each([
      [12, 12],
      [1, 1],
      [5, 40],
      [40, 5],
      [300, 451],
      [7, 1000],
    ])('is what the graph makes of a photo of %i x %i', async (height, width) => {
      const pixels = photo(height, width);
      const { image } = await graph.run({ rgb: new Tensor('uint8', pixels.data, [height, width, 3]) });
      const expected = image?.data as Float32Array;
      const actual = await sampled(sampler, pixels);
      // Of values up to 520, rounding leaves so much.
      for (const [place, value] of actual.entries())
        expect(Math.abs(value - (expected[place] ?? NaN))).toBeLessThan(1e-3);
    });
  },
);

it('a photo of a size that came before is sampled as the first time, also when its size was forgotten', async () => {
  const sampler = await ImageSampler.load(GRAPHS, sampling('half_pixel'), {});
  const first = await sampled(sampler, photo(20, 30));
  expect(await sampled(sampler, photo(20, 30))).toEqual(first);
  for (let width = 31; width < 31 + MAX_KEPT_GEOMETRIES; width++) await sampled(sampler, photo(20, width));
  expect(await sampled(sampler, photo(20, 30))).toEqual(first);
});

it('a photo that does not cover the image is refused with the sizes', async () => {
  const sampler = await ImageSampler.load(GRAPHS, { ...sampling('half_pixel'), size: [8, 13] }, {});
  await expect(sampled(sampler, photo(24, 24))).rejects.toThrow(
    '24x24 becomes 12x12, of which the model takes 13x8 at 2,2.',
  );
});
