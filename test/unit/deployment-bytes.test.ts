import { describe, expect, it } from 'vitest';
import { spokenBytes, spokenShare } from '../../src/deployment/bytes.js';

describe('an amount of data', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1_000, '1.0 kB'],
    [999_499, '999 kB'],
    [999_500, '1.0 MB'],
    [9_949_000, '9.9 MB'],
    [9_950_000, '10 MB'],
    [93_400_000, '93 MB'],
    [4_100_000_000, '4.1 GB'],
    [2e15, '2000 TB'],
  ])('of %i bytes reads %s', (bytes, text) => {
    expect(spokenBytes(bytes)).toBe(text);
  });

  it.each([
    [0, 93_000_000, '0 of 93 MB'],
    [400_000, 93_000_000, '0.4 of 93 MB'],
    [12_300_000, 93_000_000, '12 of 93 MB'],
    [95_000_000, 93_000_000, '93 of 93 MB'],
    [0, 0, '0 of 0 B'],
  ])('%i of %i bytes reads %s, in one unit', (done, total, text) => {
    expect(spokenShare(done, total)).toBe(text);
  });
});
