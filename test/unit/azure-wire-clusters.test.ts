import { describe, expect, it } from 'vitest';
import {
  abortClusterOperation,
  clusterRef,
  createCluster,
  deleteCluster,
  findClusters,
  getCluster,
  recreateCluster,
  userKubeconfig,
} from '../../src/azure/clusters.js';
import { classify } from '../../src/azure/failures.js';
import { identity, MARK, recordedAzure, signal, thrownBy } from '../fixtures/azure-wire/place.js';
import { arm, inGroup } from '../fixtures/azure-wire/recordings/arm.js';
import * as recorded from '../fixtures/azure-wire/recordings/clusters.js';
import * as errors from '../fixtures/azure-wire/recordings/errors.js';

const azure = recordedAzure();
const CLUSTERS = inGroup('Microsoft.ContainerService/managedClusters');
const CLUSTER = `${CLUSTERS}/slipway-boats`;
const ref = clusterRef(identity, 'slipway-boats');
const cluster = { name: 'slipway-boats', existing: false, vmSize: 'Standard_D4s_v6', nodeCount: 1 };
const place = { identity, region: 'eastus', cluster };
const absent = errors.resourceNotFound('Microsoft.ContainerService/managedClusters', 'slipway-boats');

describe('creating a cluster', () => {
  it('sends one PUT that creates only, and does not follow the operation', async () => {
    azure.wire.on(`PUT ${CLUSTER}`, recorded.clusterCreated);
    expect(await createCluster(azure.azure, place, signal())).toBe(true);
    expect(azure.wire.requests).toEqual([`PUT ${CLUSTER}`]);
    const [put] = azure.wire.asked;
    expect(put?.headers).toMatchObject({ 'if-none-match': '*', authorization: 'Bearer recorded-entra-token' });
    expect(JSON.parse(put?.body ?? '')).toEqual({
      location: 'eastus',
      tags: { 'slipway-owner': MARK, 'slipway-service': 'boats' },
      identity: { type: 'SystemAssigned' },
      properties: {
        dnsPrefix: 'slipway-boats',
        agentPoolProfiles: [{ name: 'scoring', mode: 'System', osType: 'Linux', vmSize: 'Standard_D4s_v6', count: 1 }],
      },
    });
  });

  it.each([
    ['a cluster that is there (412)', recorded.preconditionFailed],
    ['an operation in progress (409)', recorded.operationInProgress],
  ])('leaves to the next look what met %s', async (_case, answer) => {
    azure.wire.on(`PUT ${CLUSTER}`, answer);
    expect(await createCluster(azure.azure, place, signal())).toBe(false);
    expect(azure.wire.requests).toHaveLength(1);
  });

  it.each([
    ['quota as AKS reports it', recorded.insufficientQuota, 'ErrCode_InsufficientVCPUQuota', 'retrySlowly', 400],
    ['quota as compute reports it', recorded.computeQuotaExceeded, 'OperationNotAllowed', 'retrySlowly', 409],
    ['a size that is not offered', recorded.sizeNotSupported, 'VMSizeNotSupported', 'fatal', 400],
    ['a missing permission', errors.authorizationFailed, 'AuthorizationFailed', 'retrySlowly', 403],
    ['one on what it uses', errors.linkedAuthorizationFailed, 'LinkedAuthorizationFailed', 'retrySlowly', 403],
    ['an unregistered provider', errors.missingRegistration, 'MissingSubscriptionRegistration', 'retrySlowly', 409],
    ['a lock', errors.scopeLocked, 'ScopeLocked', 'fatal', 409],
  ])('says why it was refused: %s', async (_case, answer, code, kind, status) => {
    azure.wire.on(`PUT ${CLUSTER}`, answer);
    const judged = classify(await thrownBy(createCluster(azure.azure, place, signal())));
    expect(judged).toMatchObject({ code, class: kind, status, fix: expect.any(String) as string });
    const body = answer.body as { message?: string; error?: { message: string } };
    expect(judged.message).toBe(body.error?.message ?? body.message);
    expect(azure.wire.requests).toHaveLength(1);
  });

  it('is sent again, over what is there, for one of ours that failed', async () => {
    azure.wire.on(`PUT ${CLUSTER}`, arm(200, recorded.clusterBody('Updating')));
    await recreateCluster(azure.azure, { ...place, owner: '0123456789ab/dearlier0000' }, signal());
    const [put] = azure.wire.asked;
    expect(put?.headers['if-none-match']).toBeUndefined();
    expect(JSON.parse(put?.body ?? '')).toMatchObject({ tags: { 'slipway-owner': '0123456789ab/dearlier0000' } });
    expect(azure.wire.requests).toHaveLength(1);
  });
});

describe('looking at a cluster', () => {
  it('finds none behind the 404 of the gateway', async () => {
    azure.wire.on(`GET ${CLUSTER}`, absent);
    expect(await getCluster(azure.azure, ref, signal())).toBeUndefined();
  });

  it('reads what Azure filled in', async () => {
    const properties = {
      tags: { 'slipway-owner': MARK },
      identityProfile: { kubeletidentity: { objectId: 'kubelet', clientId: 'c', resourceId: '/r' } },
    };
    azure.wire.on(`GET ${CLUSTER}`, recorded.clusterRead('Succeeded', properties));
    expect(await getCluster(azure.azure, ref, signal())).toEqual({
      id: CLUSTER.replace('resourceGroups', 'resourcegroups'),
      state: 'Succeeded',
      power: 'Running',
      region: 'eastus',
      owner: MARK,
      kubernetesVersion: '1.33.3',
      nodes: '1 × Standard_D4s_v6',
      kubeletObjectId: 'kubelet',
      failure: undefined,
      retryAfterSeconds: undefined,
    });
  });

  it.each(['Creating', 'Updating', 'Deleting', 'Upgrading', 'SomethingNew'])(
    'passes the state on: %s',
    async (state) => {
      azure.wire.on(`GET ${CLUSTER}`, recorded.clusterRead(state));
      expect(await getCluster(azure.azure, ref, signal())).toMatchObject({ state, kubeletObjectId: undefined });
    },
  );

  it('reads how long to wait, where Azure says it', async () => {
    azure.wire.on(`GET ${CLUSTER}`, arm(200, recorded.clusterBody('Creating'), { 'retry-after': '15' }));
    expect(await getCluster(azure.azure, ref, signal())).toMatchObject({ retryAfterSeconds: 15 });
  });

  it('reads why the last operation failed', async () => {
    const status = { provisioningError: recorded.provisioningError };
    azure.wire.on(`GET ${CLUSTER}`, recorded.clusterRead('Failed', { status }));
    expect(await getCluster(azure.azure, ref, signal())).toMatchObject({
      state: 'Failed',
      failure: recorded.provisioningError,
    });
  });

  it.each([undefined, null, {}])('does not invent a reason from a status of %j', async (status) => {
    azure.wire.on(`GET ${CLUSTER}`, recorded.clusterRead('Failed', { status }));
    expect((await getCluster(azure.azure, ref, signal()))?.failure).toBeUndefined();
  });

  it('follows a list over its pages', async () => {
    const ours = { ...recorded.clusterBody('Succeeded', { tags: { 'slipway-owner': MARK } }), name: 'ours' };
    const next = `{origin}${CLUSTERS}/page2`;
    azure.wire.on(`GET ${CLUSTERS}`, arm(200, { value: [recorded.clusterBody('Succeeded')], nextLink: next }));
    azure.wire.on(`GET ${CLUSTERS}/page2`, arm(200, { value: [ours] }));
    const isOurs = (owner: string | undefined) => owner === MARK;
    expect(await findClusters(azure.azure, identity, isOurs, signal())).toEqual(['ours']);
  });

  it('decodes the credentials', async () => {
    azure.wire.on(`POST ${CLUSTER}/listClusterUserCredential`, recorded.userCredentials);
    expect(await userKubeconfig(azure.azure, ref, signal())).toBe('apiVersion: v1\nkind: Config\nclusters: []\n');
  });
});

describe('deleting a cluster', () => {
  it.each([
    ['202 with nothing in it', recorded.clusterDeletion],
    ['204, when it is gone', arm(204, '')],
    ['404, when it is gone', absent],
  ])('sends one DELETE, and does not follow it: %s', async (_case, answer) => {
    azure.wire.on(`DELETE ${CLUSTER}`, answer);
    await deleteCluster(azure.azure, ref, signal());
    expect(azure.wire.requests).toEqual([`DELETE ${CLUSTER}`]);
  });

  it('passes a conflict on', async () => {
    azure.wire.on(`DELETE ${CLUSTER}`, recorded.operationInProgress);
    const error = await thrownBy(deleteCluster(azure.azure, ref, signal()));
    expect(classify(error)).toMatchObject({ code: 'OperationNotAllowed', class: 'retry', status: 409 });
  });
});

describe('aborting what is in progress on a cluster', () => {
  it.each([
    ['202', recorded.clusterDeletion],
    ['409, when it ended', recorded.operationInProgress],
    ['404, when the cluster is gone', absent],
  ])('is asked for once: %s', async (_case, answer) => {
    azure.wire.on(`POST ${CLUSTER}/abort`, answer);
    await abortClusterOperation(azure.azure, ref, signal());
    expect(azure.wire.requests).toEqual([`POST ${CLUSTER}/abort`]);
  });

  it('is not taken for done when a lock forbids it', async () => {
    azure.wire.on(`POST ${CLUSTER}/abort`, errors.scopeLocked);
    const error = await thrownBy(abortClusterOperation(azure.azure, ref, signal()));
    expect(classify(error)).toMatchObject({ code: 'ScopeLocked', class: 'fatal' });
  });
});
