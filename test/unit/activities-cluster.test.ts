import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import { createClusterActivities } from '../../src/activities/cluster.js';
import { connectToAzure } from '../../src/azure/connection.js';
import { ownershipMark, OWNER_TAG } from '../../src/deployment/names.js';
import { someRelease } from '../fixtures/release.js';

const { identity, workspace, cluster } = someRelease();

/** The activities of a subscription that has one cluster, as AKS describes it. The local Azure has no stopped clusters. */
function withCluster(found: Record<string, unknown>) {
  const managedClusters = { get: () => Promise.resolve({ id: '/clusters/pets', ...found }) };
  const azure = { ...connectToAzure({}), containerService: () => ({ managedClusters }) };
  // Only what a look at a cluster asks for is there.
  return createClusterActivities(azure as unknown as ReturnType<typeof connectToAzure>);
}

describe('a cluster that is stopped', () => {
  const stopped = {
    provisioningState: 'Succeeded',
    powerState: { code: 'Stopped' },
    tags: { [OWNER_TAG]: ownershipMark(identity) },
  };
  it.each([
    ['adopted', true],
    ['our own, from an earlier deployment', false],
  ])('is not waited for: %s', async (_whose, existing) => {
    const { beginCluster } = withCluster(stopped);
    const input = { identity, workspace, cluster: { ...cluster, existing } };
    await expect(new MockActivityEnvironment().run(beginCluster, input)).rejects.toMatchObject({
      type: 'ClusterStopped',
      nonRetryable: true,
    });
  });
});
