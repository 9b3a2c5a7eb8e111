import { expect, it } from 'vitest';

import { fuzz } from '../fixtures/scoring-fuzz.js';

it.each(['JPEGs', 'PNGs', 'protobuf messages'] as const)('20,000 mutated %s do no harm', async (kind) => {
  const outcomes = await fuzz(kind, 20_000, Date.now());
  console.log(kind, outcomes);
  expect(Object.keys(outcomes).length).toBeGreaterThan(1);
});
