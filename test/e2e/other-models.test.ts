import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeploymentSpecInput } from '../../src/client.js';
import { creations } from '../fixtures/e2e/journal.js';
import { PHOTOS, sampleSpec, TestStack } from '../fixtures/e2e/stack.js';
import { expectUndone } from '../fixtures/e2e/undone.js';
import { ServedModels } from '../fixtures/served-models.js';

const TENSORS = 'uint8-tensors';

interface Refusal {
  /** Of `conversion/tests/broken_models.py`, or the one that takes tensors. */
  readonly model: string;
  readonly code: string;
  readonly says: RegExp;
  readonly input?: string;
  readonly outputs?: string[];
  readonly conversion?: DeploymentSpecInput['conversion'];
}

const REFUSALS: readonly Refusal[] = [
  { model: 'unsupported-op', code: 'UnsupportedOperation', says: /Lgamma/, outputs: ['scores'] },
  { model: 'any-size', code: 'DynamicImageSize', says: /no fixed size/, outputs: ['scores'] },
  { model: 'not-a-number', code: 'OutputNotFinite', says: /'scores' for photo/, outputs: ['scores'] },
  { model: 'accurate-decoder', code: 'UnsupportedDecode', says: /INTEGER_ACCURATE/, outputs: ['scores'] },
  { model: 'truncated-weights', code: 'WeightsDamaged', says: /Read less bytes than requested/ },
  { model: 'weights-of-another-architecture', code: 'WeightsMismatch', says: /they have no _weights/ },
  {
    model: TENSORS,
    code: 'ParityFailed',
    says: /does not agree with TensorFlow/,
    input: 'pixels',
    outputs: ['classes'],
    // Float rounding alone is more than nothing.
    conversion: { parity: { relative: 0 } },
  },
];

let models: ServedModels;
let local: TestStack;
beforeAll(async () => {
  [local, models] = await Promise.all([
    TestStack.start(),
    ServedModels.make([...new Set(REFUSALS.map(({ model }) => model))]),
  ]);
});
afterAll(async () => {
  await local?.stop();
  await models?.remove();
});

describe('a model that cannot be converted is refused before the image step, and nothing of it is left', () => {
  it.concurrent.each(REFUSALS)('$model: $code', async ({ model, code, says, input, outputs, conversion }) => {
    const service = `refused-${code.toLowerCase()}`;
    const path = models.savedModel(model);
    const spec = sampleSpec(service, { model: { path, name: service, input, outputs }, conversion });
    const failure = await expectUndone(local, await local.client.startDeployment(spec), 'convert');
    expect(failure).toMatchObject({ code, message: expect.stringMatching(says) as string });
    const { uid } = local.client.identify(service);
    const made = creations(await local.azure.journal()).map(({ effect }) => `${effect?.kind} ${effect?.id}`);
    expect(made.filter((each) => each.includes(`${service}-onnx`) || each.includes(`slipway/${uid}`))).toEqual([]);
  });
});

it('a model that takes tensors becomes a live service that was scored before and after it went live', async () => {
  const service = 'tensors';
  const model = { path: models.savedModel(TENSORS), name: service, input: 'pixels', outputs: ['classes'] };
  const photos = (sampleSpec(service).smoke.photos ?? []).map(({ path }) => ({ path }));
  const handle = await local.client.startDeployment(sampleSpec(service, { model, smoke: { photos } }));
  const { outcome, scores } = await handle.result();
  expect(outcome).toBe('deployed');
  expect(scores.map(({ image }) => image)).toEqual(PHOTOS.map(({ name }) => name));
  expect(new Set(scores.map(({ top5 }) => top5[0]?.confidence)).size).toBe(PHOTOS.length);
});
