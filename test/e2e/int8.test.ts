import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeploymentSpecInput, DeployResult } from '../../src/client.js';
import { calibrationPhotos } from '../fixtures/e2e/calibration.js';
import { photo, PHOTOS, sampleSpec, TestStack } from '../fixtures/e2e/stack.js';

let local: TestStack;
let calibration: string;
beforeAll(async () => {
  calibration = await calibrationPhotos();
  local = await TestStack.start();
});
afterAll(async () => {
  await local?.stop();
  await rm(calibration, { recursive: true });
});

function int8Spec(service: string, parity?: { relative: number }): DeploymentSpecInput {
  const quantize = { to: 'int8', calibration, ...(parity ? { parity } : {}) } as const;
  return sampleSpec(service, { conversion: { quantize } });
}

describe('a SavedModel that is made int8', () => {
  const service = 'narrowboat';
  let result: DeployResult;

  it('becomes a live service that answers within the limits of int8', async () => {
    const handle = await local.client.startDeployment(int8Spec(service));
    result = await handle.result();
    expect(result.scores.map(({ top5 }) => top5[0]?.index)).toEqual(PHOTOS.map(({ expect: index }) => index));
    const { text } = await local.client.readConversionLog(service);
    expect(text).toMatch(/int8, calibrated on 12 photos/);
    expect(text).toMatch(/[0-9.]+ times as fast/);
  });

  it('answers callers, and not with what the float model answers', async () => {
    const wide = await (await local.client.startDeployment(sampleSpec('wideboat'))).result();
    expect(wide.converted.digest).not.toBe(result.converted.digest);
    const [int8] = await local.client.score(service, [photo('coffee.jpg')]);
    const [float] = await local.client.score('wideboat', [photo('coffee.jpg')]);
    expect(int8?.classes?.[0]?.index).toBe(967);
    const confidence = float?.classes?.[0]?.confidence ?? NaN;
    expect(Math.abs((int8?.classes?.[0]?.confidence ?? NaN) - confidence)).toBeGreaterThan(1e-4);
    expect(int8?.classes?.[0]?.confidence).toBeCloseTo(confidence, 0);
  });

  it('is not converted again for the same calibration photos', async () => {
    const before = await local.azure.lastSeq();
    const again = await (await local.client.startDeployment(int8Spec(service))).result();
    expect(again).toMatchObject({ outcome: 'unchanged', release: result.release });
    const calls = await local.azure.journal(before);
    expect(calls.filter(({ effect }) => effect !== undefined && effect.change !== 'unchanged')).toEqual([]);
  });

  it('ends before there is an image when it is over its limits, and leaves nothing', async () => {
    const before = await local.azure.lastSeq();
    const handle = await local.client.startDeployment(int8Spec('wreck', { relative: 1e-6 }));
    await expect(handle.result()).rejects.toMatchObject({ code: 'QuantizationParityFailed', residue: [] });
    const { steps } = await handle.progress();
    expect(steps.map(({ name, state }) => `${name} ${state}`)).toContain('convert failed');
    expect(await local.azure.ownedBy(local.client.identify('wreck').uid)).toEqual([]);
    const made = (await local.azure.journal(before)).flatMap(({ effect }) =>
      effect?.change === 'created' ? [`${effect.kind} ${effect.id.split('/').slice(-3).join('/')}`] : [],
    );
    expect(made.filter((each) => each.startsWith('job '))).toHaveLength(1);
    expect(made.filter((each) => /^(manifest|registry-blob|tag) |-onnx/.test(each))).toEqual([]);
  });
});
