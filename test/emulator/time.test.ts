import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseOptions, UsageError } from '../../src/emulator/core/options.js';
import { startEmulator, type TestEmulator } from '../fixtures/emulator.js';
import { clusterParameters, containerService, until } from '../fixtures/kubernetes.js';

describe('the time of the local Azure', () => {
  it.each([
    [[], 60],
    [['--time-scale', '7.5'], 7.5],
    [['--realtime'], 1],
  ])('with %j passes %d times as fast as recorded', (flags, timeScale) => {
    expect(parseOptions(['--state', '/nowhere', ...flags])).toMatchObject({ timeScale });
  });

  it('is told in one way', () => {
    expect(() => parseOptions(['--state', '/nowhere', '--realtime', '--time-scale', '2'])).toThrow(UsageError);
  });
});

describe('in real time', () => {
  let azure: TestEmulator;
  const { timeScale } = parseOptions(['--state', '/nowhere', '--realtime']);
  beforeAll(async () => {
    azure = await startEmulator({ timeScale });
  });
  afterAll(() => azure?.stop());

  it('a cluster takes the 250 seconds that were recorded, by a clock that tests advance', async () => {
    const { managedClusters } = containerService(azure);
    const { resourceGroup } = azure.endpoints;
    const state = async () => (await managedClusters.get(resourceGroup, 'slow')).provisioningState;
    await managedClusters.createOrUpdate(resourceGroup, 'slow', clusterParameters).submitted();
    await azure.advance(100);
    expect(await state()).toBe('Creating');
    await azure.advance(150);
    await until('the cluster', async () => (await state()) === 'Succeeded');
  });
});
