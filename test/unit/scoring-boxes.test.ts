import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pc from 'picocolors';
import { expect, it, onTestFinished } from 'vitest';

import { renderScores } from '../../src/cli/render/scores.js';
import { scorePhotos } from '../../src/client/score.js';
import { serve, type Answer } from '../fixtures/predict-server.js';
import { photo } from '../fixtures/e2e/stack.js';

/** Three boxes, the second of which covers the first nearly, and the sureness of background, cat and dog in each. */
const BOXES = [
  [0, 0, 0.5, 0.5],
  [0, 0, 0.5, 0.45],
  [0.5, 0.5, 1, 1],
];
const SCORES = [
  [0.1, 0.8, 0.1],
  [0.2, 0.7, 0.15],
  [0.3, 0.1, 0.6],
];

/** Answers as a detector, turned upside down for every second photo. */
const detector: Answer = ({ inputs }, callback) => {
  const images = inputs.images?.string_val ?? [];
  const tensor = (name: string, rows: number[][]) => {
    const dim = [images.length, rows.length, rows[0]?.length ?? 0].map((size) => ({ size }));
    const float_val = images.flatMap((_, at) => (at % 2 === 0 ? rows : [...rows].reverse()).flat());
    return { [name]: { dtype: 'DT_FLOAT', tensor_shape: { dim }, float_val } };
  };
  callback(null, { outputs: { ...tensor('scores', SCORES), ...tensor('boxes', BOXES) } });
};

it('a detector gives the boxes of each photo, one for each object, with their labels', async () => {
  const { address } = await serve(detector);
  const endpoint = { address, model: 'ssd', input: 'images', labels: ['background', 'cat', 'dog'] };
  const scores = await scorePhotos(endpoint, [photo('chelsea.jpg'), photo('coffee.jpg')], 3);
  const found = scores.map(({ boxes }) => boxes?.map(({ label, index }) => `${index} ${label}`));
  // Without what the surer cat covers: the next one is a doubtful dog in the same place.
  expect(found).toEqual(Array(2).fill(['1 cat', '2 dog', '2 dog']));
  expect(scores[0]?.boxes?.[1]).toEqual({
    index: 2,
    label: 'dog',
    confidence: expect.closeTo(0.6) as number,
    box: { ymin: 0.5, xmin: 0.5, ymax: 1, xmax: 1 },
  });
  expect(renderScores(scores, pc.createColors(false)).slice(0, 3)).toEqual([
    'chelsea.jpg',
    '    80.0 %  cat 1  x 0.0 % to 50.0 %, y 0.0 % to 50.0 %',
    '    60.0 %  dog 2  x 50.0 % to 100.0 %, y 50.0 % to 100.0 %',
  ]);
});

it('a photo that is refused is named', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'slipway-refused-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const bad = path.join(directory, 'bad.png');
  await writeFile(bad, '\x89PNG\r\n\x1a\n', 'latin1');
  const { address } = await serve((_, callback) => callback({ code: 3, details: 'images[1]: Input is empty.' }));
  const endpoint = { address, model: 'ssd', input: 'images' };
  await expect(scorePhotos(endpoint, [photo('coffee.jpg'), bad])).rejects.toMatchObject({
    code: 'ScoringRefused',
    message: `INVALID_ARGUMENT: ${bad}: Input is empty.`,
  });
});
