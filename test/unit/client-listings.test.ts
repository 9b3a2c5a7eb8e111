import { describe, expect, it } from 'vitest';
import type { DescribedVersion } from '../../src/azure/models.js';
import type { Change } from '../../src/client/changes.js';
import { imagesOf } from '../../src/client/images.js';
import { modelsOf } from '../../src/client/models.js';
import type { ServiceReleases } from '../../src/client/releases.js';
import { servicesOf } from '../../src/client/services.js';
import type { Digest } from '../../src/deployment/digests.js';
import { conversionJobName, parseConversionJobName } from '../../src/deployment/names.js';
import { identity } from '../fixtures/azure-wire/place.js';

const digest = (digit: string): Digest => `sha256:${digit.repeat(64)}`;
const tag = (digit: string): string => digit.repeat(12);
const createdOn = new Date('2026-09-01T10:15:00Z');
const record = (release: string, image: string, source = 'boats:1') => ({
  release,
  imageDigest: image,
  source,
  converted: source.replace(':', '-onnx:'),
  deploymentId: 'dabcdefghijk',
});
const boats: ServiceReleases = {
  service: 'boats',
  cluster: '/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/quay',
  live: tag('a'),
  address: '10.0.0.1:8500',
  releases: [record(tag('a'), digest('1'), 'boats:2'), record(tag('b'), digest('2'))],
};
const unreachable: ServiceReleases = { service: 'boats', releases: [], problem: 'quay: does not answer' };

describe('an image', () => {
  const manifest = (image: string, tags: readonly string[]) => ({ digest: image, tags, createdOn, bytes: 1 });

  it.each([
    ['live where the public Service selects its release', [tag('a')], digest('1'), boats, 'live', 'boats:2'],
    ['kept where its release was live', [tag('b')], digest('2'), boats, 'kept', 'boats:1'],
    [
      'deploying where the change that runs made it',
      [tag('c'), 'drunning2222'],
      digest('3'),
      boats,
      'deploying',
      undefined,
    ],
    ['unused where nothing needs it', [tag('c'), 'dended222222'], digest('3'), boats, 'unused', undefined],
    ['known by its content where its release is none', [tag('c')], digest('2'), boats, 'unused', 'boats:1'],
    ['without a tag while it is pushed', ['drunning2222'], digest('3'), boats, 'deploying', undefined],
    ['not known where the cluster does not answer', [tag('a')], digest('1'), unreachable, 'unknown', undefined],
  ] as const)('is %s', (_case, tags, image, releases, state, version) => {
    const [found, ...others] = imagesOf([manifest(image, tags)], releases, 'drunning2222');
    expect(others).toEqual([]);
    expect({ state: found?.state, version: found?.version }).toEqual({ state, version });
    expect(found?.problem).toBe(releases.problem);
  });

  it('is there once for each release that has it', () => {
    const shared = imagesOf([manifest(digest('1'), [tag('a'), 'dended222222', tag('b')])], boats, undefined);
    expect(shared.map(({ tag, state }) => [tag, state])).toEqual([
      [tag('a'), 'live'],
      [tag('b'), 'kept'],
    ]);
    expect(shared.every(({ deployments }) => deployments.join() === 'dended222222')).toBe(true);
  });
});

describe('a model', () => {
  const version = (name: string, number: string, properties: object = {}): DescribedVersion => ({
    name,
    version: number,
    id: `/models/${name}/versions/${number}`,
    url: 'azureml://datastores/d/paths/p',
    createdAt: createdOn.toISOString(),
    digest: digest('9'),
    owner: 'uid/d1',
    archived: false,
    description: undefined,
    tags: { 'slipway-owner': 'uid/d1', family: 'small' },
    properties: { 'slipway-digest': digest('5'), ...properties },
  });
  const container = (name: string, tags: Record<string, string> = {}) => ({ name, tags, nextVersion: 3 });
  const models = modelsOf(
    [
      {
        container: container('boats-onnx', { 'slipway-role': 'converted', 'slipway-service': 'boats' }),
        versions: [version('boats-onnx', '1', { 'slipway-source': 'boats:1' })],
      },
      { container: container('boats'), versions: [version('boats', '1'), version('boats', '2')] },
    ],
    [{ ...boats, releases: [...boats.releases, ...boats.releases] }],
  );

  it('has its versions, newest first, with what the user wrote on them', () => {
    expect(models.map(({ name, versions }) => [name, versions.map((each) => each.version)])).toEqual([
      ['boats', ['2', '1']],
      ['boats-onnx', ['1']],
    ]);
    expect(models[0]?.versions[0]).toMatchObject({ digest: digest('5'), tags: { family: 'small' }, properties: {} });
    expect(models[0]).not.toHaveProperty('role');
    expect(models[1]).toMatchObject({ role: 'converted', service: 'boats' });
  });

  it('says what was converted to what', () => {
    expect(models[0]?.versions.map(({ converted }) => converted)).toEqual([[], ['boats-onnx:1']]);
    expect(models[1]?.versions[0]?.source).toBe('boats:1');
  });

  it('says which releases were made of it, each once', () => {
    const uses = models.flatMap(({ versions }) => versions.map(({ deployed }) => deployed));
    const use = (release: string, state: string) => [{ service: 'boats', release, state }];
    expect(uses).toEqual([use(tag('a'), 'live'), use(tag('b'), 'kept'), use(tag('b'), 'kept')]);
  });
});

describe('a service', () => {
  const change = (kind: Change['change'], state: Change['state']): Change => ({
    service: 'boats',
    change: kind,
    state,
    startedAt: createdOn,
    workflowId: 'w',
    runId: 'r',
  });
  const down: ServiceReleases = { service: 'boats', releases: [] };

  it.each([
    ['live, whatever became of the change after it', boats, change('deploy', 'failed'), 'live'],
    ['live while another release is deployed', boats, change('deploy', 'running'), 'live'],
    ['deleting while it is taken down', boats, change('teardown', 'running'), 'deleting'],
    ['deploying before anything is public', down, change('deploy', 'running'), 'deploying'],
    ['unknown where its cluster does not answer', unreachable, change('deploy', 'completed'), 'unknown'],
    ['failed', down, change('deploy', 'failed'), 'failed'],
    ['failed when its deletion was ended by force', down, change('teardown', 'terminated'), 'failed'],
    ['cancelled', down, change('deploy', 'cancelled'), 'cancelled'],
    ['deleted', down, change('teardown', 'completed'), 'deleted'],
    ['gone when it is not there, though it was deployed', down, change('deploy', 'completed'), 'gone'],
    ['gone when nobody remembers it', down, undefined, 'gone'],
  ])('is %s', (_case, releases, last, state) => {
    expect(servicesOf([releases], last ? [last] : []).map((each) => each.state)).toEqual([state]);
  });

  it('is known to its cluster, to Temporal, or to both, and is listed once', () => {
    const listed = servicesOf(
      [boats],
      [change('deploy', 'completed'), { ...change('deploy', 'failed'), service: 'ark' }],
    );
    expect(listed).toMatchObject([
      { service: 'ark', state: 'failed' },
      {
        service: 'boats',
        release: tag('a'),
        model: 'boats:2',
        address: '10.0.0.1:8500',
        lastChange: { service: 'boats' },
      },
    ]);
  });
});

describe('the name of a conversion job', () => {
  it('says which attempt of which deployment it was, at what', () => {
    expect(parseConversionJobName(conversionJobName(identity, digest('a'), 2))).toEqual({
      deploymentId: identity.deploymentId,
      conversion: tag('a'),
      attempt: 2,
    });
    expect(parseConversionJobName('someone-elses-job')).toBeUndefined();
  });
});
