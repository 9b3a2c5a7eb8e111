import type { Score } from '../deployment/activities.js';
import { allowedDifference } from '../deployment/converted-model.js';
import { SlipwayError } from '../deployment/errors.js';
import type { Prediction } from '../scoring/client/predict-client.js';
import { topK } from '../scoring/client/top-k.js';
import type { Reference, ReferencePhoto } from './smoke-reference.js';

/** Classes that are shown, and among which the expected one must be. */
const TOP = 5;

/**
 * Judges the answer to one photo.
 *
 * @throws SlipwayError `DisagreesWithSavedModel` or `ExpectedClassMissing`
 */
export function checkAnswer(
  reference: Pick<Reference, 'ranking' | 'labels' | 'tolerances'>,
  photo: Pick<ReferencePhoto, 'name' | 'expect' | 'goldens'>,
  answer: Pick<Prediction, 'outputs'>,
): Score {
  for (const [output, golden] of photo.goldens) {
    const off = firstDisagreement(
      answer.outputs[output]?.values ?? new Float32Array(),
      golden,
      reference.tolerances.get(output),
    );
    if (off !== undefined) {
      throw new SlipwayError('DisagreesWithSavedModel', `${photo.name}: ${output}${off}`, {
        fix: 'Report the model: its conversion does not compute what TensorFlow computes.',
      });
    }
  }
  const values = answer.outputs[reference.ranking]?.values ?? new Float32Array();
  const top5 = topK(values, TOP, reference.labels);
  if (photo.expect !== undefined && !top5.some(({ index }) => index === photo.expect)) {
    const got = top5.map(({ index, label, confidence }) => `${index} ${label} ${confidence.toFixed(3)}`).join(', ');
    throw new SlipwayError(
      'ExpectedClassMissing',
      `${photo.name}: class ${photo.expect} is not in the top-5 (${got})`,
      {
        fix: 'Correct smoke.photos[].expect, or deploy another model: this one answers what its SavedModel answers.',
      },
    );
  }
  return { image: photo.name, top5 };
}

/** Where a row is further from its golden than {@link allowedDifference}, in words. */
function firstDisagreement(
  values: Float32Array,
  golden: Float32Array,
  tolerance: number | undefined,
): string | undefined {
  if (values.length !== golden.length) return ` has ${values.length} values, TensorFlow gave ${golden.length}`;
  const index = golden.findIndex((expected, at) => {
    // Written so that NaN disagrees.
    return !(Math.abs((values[at] ?? NaN) - expected) <= allowedDifference(expected, tolerance));
  });
  return index < 0 ? undefined : `[${index}] is ${values[index]}, TensorFlow gave ${golden[index]}`;
}
