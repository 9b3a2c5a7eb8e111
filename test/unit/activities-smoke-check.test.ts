import { describe, expect, it } from 'vitest';
import { checkAnswer } from '../../src/activities/smoke-check.js';
import { ROUNDING } from '../../src/deployment/converted-model.js';

const GOLDEN = [0.01, 0.4, 0.3, 0.1, 0.05, 0.02, 0.12];
const reference = {
  ranking: 'scores',
  labels: GOLDEN.map((_, index) => `label ${index}`),
  tolerances: new Map<string, number>(),
};

function photo(expected?: number) {
  return {
    name: 'chelsea.jpg',
    expect: expected,
    goldens: new Map([['scores', Float32Array.from(GOLDEN)]]),
  };
}

function answer(values: number[]) {
  return { outputs: { scores: { shape: [1, values.length], values: Float32Array.from(values) } } };
}

/** An error with these members, for `toThrow`. */
const failureWith = (members: object) => expect.objectContaining(members) as Error;

describe('the check of a live answer', () => {
  it('gives the top-5 with labels, largest first', () => {
    const { image, top5 } = checkAnswer(reference, photo(1), answer(GOLDEN));
    expect(image).toBe('chelsea.jpg');
    expect(top5.map(({ index }) => index)).toEqual([1, 2, 6, 3, 4]);
    expect(top5[0]).toMatchObject({ label: 'label 1', confidence: expect.closeTo(0.4) as number });
  });

  it('allows what another CPU rounds otherwise', () => {
    const near = GOLDEN.map((value) => value + ROUNDING.absolute / 2);
    expect(() => checkAnswer(reference, photo(), answer(near))).not.toThrow();
  });

  it('allows as much more as the converted model says of itself', () => {
    const int8 = { ...reference, tolerances: new Map([['scores', 0.05]]) };
    const off = (by: number) => answer(GOLDEN.map((value) => value + by));
    expect(() => checkAnswer(int8, photo(), off(0.05))).not.toThrow();
    expect(() => checkAnswer(int8, photo(), off(0.06))).toThrow(failureWith({ code: 'DisagreesWithSavedModel' }));
    expect(() => checkAnswer({ ...int8, tolerances: new Map([['other', 0.05]]) }, photo(), off(0.05))).toThrow();
  });

  it.each([
    ['a value is off', GOLDEN.map((value, index) => (index === 3 ? value + 0.01 : value)), /scores\[3\]/],
    ['a value is not a number', GOLDEN.map((value, index) => (index === 2 ? NaN : value)), /scores\[2\] is NaN/],
    ['the answer is shorter', GOLDEN.slice(1), /6 values, TensorFlow gave 7/],
  ])('refuses a model where %s', (_, values, message) => {
    expect(() => checkAnswer(reference, photo(), answer(values))).toThrow(
      failureWith({ code: 'DisagreesWithSavedModel', message: expect.stringMatching(message) as string }),
    );
  });

  it('refuses an answer that lacks an output', () => {
    expect(() => checkAnswer(reference, photo(), { outputs: {} })).toThrow(
      failureWith({ code: 'DisagreesWithSavedModel' }),
    );
  });

  it('refuses a model whose top-5 lacks the expected class, and says what it has', () => {
    expect(() => checkAnswer(reference, photo(0), answer(GOLDEN))).toThrow(
      failureWith({
        code: 'ExpectedClassMissing',
        message: expect.stringContaining('1 label 1 0.400') as string,
      }),
    );
  });
});
