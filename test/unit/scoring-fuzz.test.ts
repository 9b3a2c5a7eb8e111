import { expect, it } from 'vitest';

import { fuzz } from '../fixtures/scoring-fuzz.js';

// A sample of `npm run fuzz:scoring`, the same at every run.
it.each([
  ['JPEGs', 1_000, ['INVALID_ARGUMENT', 'OK']],
  ['PNGs', 1_000, ['INVALID_ARGUMENT', 'OK']],
  ['protobuf messages', 2_000, ['FAILED_PRECONDITION', 'INTERNAL', 'INVALID_ARGUMENT', 'NOT_FOUND', 'OK']],
] as const)('mutated %s do no harm', async (kind, calls, statuses) => {
  const outcomes = await fuzz(kind, calls, 6);
  expect(Object.keys(outcomes).sort()).toEqual(expect.arrayContaining([...statuses]));
});
