import { describe, expect, it } from 'vitest';
import { deployInput, registeredSource, type Uploads } from '../../src/client/deploy-input.js';
import { identify } from '../../src/deployment/identity.js';
import type { Digest } from '../../src/deployment/digests.js';
import { DeploymentSpec, type DeploymentSpecInput } from '../../src/deployment/spec.js';

const digest: Digest = `sha256:${'0'.repeat(64)}`;
const identity = identify(
  { subscriptionId: 's', resourceGroup: 'g', workspaceName: 'w', service: 'flowers' },
  'daaaaaaaaaaa',
);
const uploads = {
  source: { kind: 'uploaded', path: 'slipway/models/0', digest, bytes: 1 },
  tags: { featurizer: 'resnet50', weights: 'imagenet' },
  photos: [{ name: 'rose.jpg', digest, expect: 3 }],
} as const;

function inputOf(spec: Partial<DeploymentSpecInput>, uploaded: Uploads = uploads) {
  const whole = { service: 'flowers', model: { path: 'model' }, smoke: { photos: [{ path: 'rose.jpg' }] }, ...spec };
  return deployInput(DeploymentSpec.parse(whole), identity, uploaded, true);
}

describe('the input of a deployment', () => {
  it('names the model and the cluster after the service where the file names none', () => {
    expect(inputOf({})).toMatchObject({
      model: { name: 'flowers' },
      cluster: { name: 'slipway-flowers', existing: false },
    });
  });

  it('keeps the names that the file gives', () => {
    const cluster = { name: 'shared', existing: true, region: 'westeurope' };
    expect(inputOf({ model: { path: 'model', name: 'lite' }, cluster })).toMatchObject({
      model: { name: 'lite' },
      cluster,
    });
  });

  it('has the tags that the model carries, but for those that the file gives anew', () => {
    const { tags } = inputOf({ model: { path: 'model', tags: { weights: 'own', team: 'roses' } } }).model;
    expect(tags).toEqual({ featurizer: 'resnet50', weights: 'own', team: 'roses' });
  });

  it('keeps the name of a model that is registered already', () => {
    expect(inputOf({ model: { source: 'azureml:resnet-50:7' } }).model.name).toBe('resnet-50');
  });

  it('has the address of the calibration photos in the place of their directory', () => {
    const quantize = { to: 'int8', calibration: 'my/calibration-photos' } as const;
    const calibration = { digest, count: 40 };
    const input = inputOf({ conversion: { quantize } }, { ...uploads, calibration });
    expect(input.conversion.quantize).toEqual({ to: 'int8', calibration, parity: { relative: 0.1, top5: 3 } });
    expect(JSON.stringify(input)).not.toContain('calibration-photos');
  });

  it('survives the way through JSON, which is how it travels', () => {
    const input = inputOf({});
    expect(JSON.parse(JSON.stringify(input))).toEqual(input);
  });
});

it.each([
  ['azureml:resnet-50:7', { name: 'resnet-50', version: '7' }],
  ['azureml:resnet-50@latest', { name: 'resnet-50', version: 'latest' }],
])('%s is taken apart', (source, parts) => {
  expect(registeredSource(source)).toEqual({ kind: 'registered', ...parts });
});
