import { RestError } from '@azure/core-rest-pipeline';
import type { ApplicationFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { patiently } from '../../src/activities/failure.js';
import { checkCluster } from '../../src/activities/preflight/cluster.js';
import { Findings } from '../../src/activities/preflight/findings.js';
import { checkQuota, checkRegion, checkSize } from '../../src/activities/preflight/offers.js';
import type { Cluster } from '../../src/azure/clusters.js';
import { SlipwayError } from '../../src/deployment/errors.js';
import type { ClusterInput } from '../../src/deployment/input.js';
import { ownershipMark } from '../../src/deployment/names.js';
import { someIdentity } from '../fixtures/release.js';

const identity = someIdentity();
const wanted: ClusterInput = { name: 'c', existing: false, vmSize: 'Standard_D4s_v3', nodeCount: 3 };
const adopted: ClusterInput = { ...wanted, existing: true };
const running: Cluster = {
  id: '/clusters/c',
  state: 'Succeeded',
  power: 'Running',
  region: 'eastus',
  owner: ownershipMark(identity),
  kubernetesVersion: '1.33',
  nodes: '3',
  kubeletObjectId: 'kubelet',
  failure: undefined,
  retryAfterSeconds: undefined,
};
const foreign = { ...running, owner: undefined };

function thrownBy(check: () => unknown): Pick<SlipwayError, 'code' | 'fix'> {
  try {
    check();
    return { code: 'none', fix: undefined };
  } catch (error) {
    if (error instanceof SlipwayError) return error;
    throw error;
  }
}

describe('the cluster of a deployment', () => {
  it.each<[string, Cluster | undefined, ClusterInput, string | undefined]>([
    ['that is to be created', undefined, wanted, undefined],
    ['of an earlier deployment', running, wanted, undefined],
    ['of an earlier deployment, which failed', { ...running, state: 'Failed' }, wanted, undefined],
    ['that is ours and stopped', { ...running, power: 'Stopped' }, wanted, 'ClusterStopped'],
    ['that nobody marked', foreign, wanted, 'NameConflict'],
    ['that another service made', { ...running, owner: 'ffffffffffff/dother' }, wanted, 'NameConflict'],
    ["of somebody's that is going", { ...foreign, state: 'Deleting' }, wanted, undefined],
    ['that is ours and elsewhere', running, { ...wanted, region: 'westeurope' }, 'ClusterInOtherRegion'],
    ['that is ours and there', running, { ...wanted, region: 'eastus' }, undefined],
    ['to adopt', foreign, adopted, undefined],
    [
      'to adopt that is still being made',
      { ...foreign, state: 'Creating', kubeletObjectId: undefined },
      adopted,
      undefined,
    ],
    ['to adopt that there is not', undefined, adopted, 'ClusterNotFound'],
    ['to adopt that is stopped', { ...foreign, power: 'Stopped' }, adopted, 'ClusterStopped'],
    ['to adopt that failed', { ...foreign, state: 'Failed' }, adopted, 'ClusterFailed'],
    ['to adopt that is going', { ...foreign, state: 'Deleting' }, adopted, 'ClusterFailed'],
    [
      'to adopt without an identity',
      { ...foreign, kubeletObjectId: undefined },
      adopted,
      'ClusterWithoutKubeletIdentity',
    ],
  ])('%s', (_case, found, cluster, code) => {
    expect(thrownBy(() => checkCluster(found, cluster, identity)).code).toBe(code ?? 'none');
  });
});

describe('what a region offers', () => {
  const size = { name: 'Standard_D4s_v3', family: 'standardDSv3Family', cores: 4, restriction: undefined };
  const closed = { ...size, name: 'Standard_D4s_v5', restriction: 'QuotaId' };

  it('is proposed in place of what it does not, without what may not be used', () => {
    const region = thrownBy(() => checkRegion('eastu', ['westeurope', 'eastus']));
    expect(region.fix).toMatch(/such as eastus, westeurope;/);
    const refused = thrownBy(() => checkSize('cluster.vmSize', 'Standard_D4s_v4', 'eastus', [size, closed]));
    expect(refused.fix).toMatch(/such as Standard_D4s_v3\.$/);
  });

  it('is found in any case', () => {
    expect(checkSize('cluster.vmSize', 'standard_d4S_V3', 'eastus', [size])).toBe(size);
  });

  const cores = (used: number, limit: number) => ({ name: 'cores', label: 'Total Regional vCPUs', used, limit });
  const family = (used: number, limit: number) => ({ name: 'standardDSv3Family', label: 'DSv3', used, limit });
  it.each([
    ['to the last core', [cores(88, 100), family(0, 12)], undefined],
    ['not one more in the family', [cores(0, 100), family(1, 12)], 'QuotaExceeded'],
    ['not one more in the region', [cores(89, 100), family(0, 100)], 'QuotaExceeded'],
    ['where nothing is said', [], undefined],
  ])('may be used up: %s', (_case, usages, code) => {
    expect(thrownBy(() => checkQuota(wanted, 'eastus', size, usages)).code).toBe(code ?? 'none');
  });
});

describe('what a preflight finds', () => {
  const lasting = new SlipwayError('ComputeNotFound', 'No compute', { fix: 'Make one.' });
  const waiting = new SlipwayError('QuotaExceeded', 'No quota', { fix: 'Ask for some.' });
  const outage = new RestError('x', { statusCode: 503 });
  const forbidden = new RestError('x', { statusCode: 403 });
  const found = async (...errors: Error[]) => {
    const findings = new Findings();
    for (const error of errors) await findings.look(() => Promise.reject(error));
    return findings.failure;
  };

  it('is nothing when no check throws', async () => {
    const findings = new Findings();
    await findings.look(() => undefined);
    expect(findings.failure).toBeUndefined();
  });

  it('is told before what was not answered, and what lasts before what may pass', async () => {
    expect(await found(outage)).toBe(outage);
    expect(await found(outage, waiting)).toBe(waiting);
    expect(await found(outage, waiting, lasting)).toBe(lasting);
  });

  it('is told all at once', async () => {
    const other = new SlipwayError('ClusterNotFound', 'No cluster');
    expect(await found(lasting, other)).toMatchObject({
      code: 'ComputeNotFound',
      message: 'No compute. No cluster',
      fix: 'Make one.',
    });
  });

  it('leaves out what may not be read, and says so', async () => {
    const findings = new Findings();
    expect(await findings.mayRead('quota', () => Promise.reject(forbidden))).toBeUndefined();
    await expect(findings.mayRead('region', () => Promise.reject(outage))).rejects.toBe(outage);
    expect(findings.unchecked).toEqual(['quota']);
  });

  const attempt = (ageSeconds: number) => ({
    abortSignal: AbortSignal.timeout(1000),
    number: 1,
    ageSeconds,
    remainingSeconds: 6000,
  });
  it.each<[string, unknown, number, Partial<ApplicationFailure>]>([
    ['what may pass', waiting, 0, { nonRetryable: false, type: 'QuotaExceeded', nextRetryDelay: 60_000 }],
    ['what may pass, with little patience left', waiting, 290, { nonRetryable: false, nextRetryDelay: 10_000 }],
    ['what did not pass in time', waiting, 300, { nonRetryable: true, type: 'QuotaExceeded' }],
    ['a permission that Azure misses', forbidden, 0, { nonRetryable: false, type: 'HTTP403' }],
    ['a permission that Azure missed for too long', forbidden, 301, { nonRetryable: true, type: 'HTTP403' }],
    ['what lasts', lasting, 0, { nonRetryable: true, type: 'ComputeNotFound' }],
    ['an outage, which nobody has to mend', outage, 301, { nonRetryable: false, type: 'HTTP503' }],
  ])('waits with five minutes of patience for %s', (_case, error, age, expected) => {
    const failure = patiently(error, attempt(age), 5) as ApplicationFailure;
    expect(failure).toMatchObject(expected);
    if (!failure.nonRetryable && error === waiting) expect(failure.message).toMatch(/^waiting: quota.*No quota/);
  });
});
