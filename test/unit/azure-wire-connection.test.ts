import { describe, expect, it } from 'vitest';
import type { AzureConnection } from '../../src/azure/connection.js';
import { classify } from '../../src/azure/failures.js';
import { ensureModelContainer, getModelContainer } from '../../src/azure/model-containers.js';
import { clusterRef, getCluster } from '../../src/azure/clusters.js';
import { identity, recordedAzure, signal, thrownBy } from '../fixtures/azure-wire/place.js';
import { GROUP, inGroup, REQUEST_ID, SUBSCRIPTION, WORKSPACE } from '../fixtures/azure-wire/recordings/arm.js';
import { clusterRead } from '../fixtures/azure-wire/recordings/clusters.js';
import * as errors from '../fixtures/azure-wire/recordings/errors.js';
import { inWorkspace, mlError } from '../fixtures/azure-wire/recordings/machine-learning.js';
import { REGISTRY } from '../fixtures/azure-wire/recordings/registry.js';
import { wrongSecret } from '../fixtures/azure-wire/recordings/sign-in.js';
import { BROKEN, RecordedAzure, type Answer } from '../fixtures/azure-wire/server.js';

const azure = recordedAzure();
const ASSIGNMENT = `${REGISTRY}/providers/Microsoft.Authorization/roleAssignments/x`;

/** One call through each client, and the request that it makes. */
const CALLS: [client: string, request: string, call: (azure: AzureConnection) => Promise<unknown>][] = [
  [
    'clusters',
    `GET ${inGroup('Microsoft.ContainerService/managedClusters/c')}`,
    (azure) => azure.containerService(SUBSCRIPTION).managedClusters.get(GROUP, 'c', { abortSignal: signal() }),
  ],
  [
    'lists of clusters',
    `GET ${inGroup('Microsoft.ContainerService/managedClusters')}`,
    (azure) => azure.containerService(SUBSCRIPTION).managedClusters.listByResourceGroup(GROUP).next(),
  ],
  [
    'sizes',
    `GET /subscriptions/${SUBSCRIPTION}/providers/Microsoft.Compute/skus`,
    (azure) => azure.compute(SUBSCRIPTION).resourceSkus.list({ abortSignal: signal() }).next(),
  ],
  [
    'machine learning',
    `GET ${inWorkspace('')}`,
    (azure) => azure.machineLearning(SUBSCRIPTION).workspaces.get(GROUP, WORKSPACE, { abortSignal: signal() }),
  ],
  [
    'registries',
    `GET ${REGISTRY}`,
    (azure) => azure.containerRegistry(SUBSCRIPTION).registries.get(GROUP, 'slip', { abortSignal: signal() }),
  ],
  [
    'storage accounts',
    `GET ${inGroup('Microsoft.Storage/storageAccounts/slip')}`,
    (azure) => azure.storage(SUBSCRIPTION).storageAccounts.getProperties(GROUP, 'slip', { abortSignal: signal() }),
  ],
  [
    'role assignments',
    `GET ${ASSIGNMENT}`,
    (azure) => azure.authorization(SUBSCRIPTION).roleAssignments.get(REGISTRY, 'x', { abortSignal: signal() }),
  ],
  [
    'registry content',
    'GET /v2/r/manifests/t',
    (azure) =>
      azure.registryContent(azure.arm.slice('https://'.length), 'r').getManifest('t', { abortSignal: signal() }),
  ],
  [
    'registry lists',
    'DELETE /acr/v1/r',
    (azure) => azure.registry(azure.arm.slice('https://'.length)).deleteRepository('r', { abortSignal: signal() }),
  ],
  [
    'blobs',
    'HEAD /container/blob',
    (azure) => azure.blobs(azure.arm).getContainerClient('container').getBlobClient('blob').getProperties(),
  ],
];

const FAILURES = [
  ['throttling with a delay', errors.throttled, { status: 429, class: 'retry', retryAfterSeconds: 10 }],
  ['throttling without one', errors.throttledWithoutDelay, { status: 429, class: 'retry' }],
  ['an empty 500', errors.emptyServerError, { status: 500, class: 'retry' }],
  ['an empty 503', errors.emptyUnavailable, { status: 503, class: 'retry' }],
  ["a proxy's page", errors.badGatewayPage, { status: 502, class: 'retry' }],
  ['a broken connection', BROKEN, { code: 'ECONNRESET', class: 'retry', answered: false }],
] as const;

describe.each(CALLS)('the client for %s', (_client, request, call) => {
  it.each(FAILURES)('asks once, and says what it met: %s', async (_case, answer, expected) => {
    azure.wire.on(request, answer);
    const judged = classify(await thrownBy(call(azure.azure)));
    expect(judged).toMatchObject(expected);
    expect(azure.wire.requests).toEqual([request]);
  });

  it('keeps action and scope of a missing permission, where there is a body to read them from', async () => {
    azure.wire.on(request, errors.authorizationFailed);
    const { message } = classify(await thrownBy(call(azure.azure)));
    if (!request.startsWith('HEAD')) expect(message).toMatch(/action 'Microsoft.*' over scope '\/subscriptions/);
  });

  it('reads the code of an error, where there is a body to read it from', async () => {
    azure.wire.on(request, errors.throttled);
    const code = request.startsWith('HEAD') ? 'HTTP429' : 'SubscriptionRequestsThrottled';
    expect(classify(await thrownBy(call(azure.azure)))).toMatchObject({ code });
  });
});

it.each([
  ['wrapped', errors.throttled],
  ['of Azure ML', mlError(500, 'Service invocation failed.', 'ServiceError')],
])("keeps Azure's request id for its support: an error %s", async (_case, answer) => {
  azure.wire.on(`GET ${inWorkspace('/models/boats')}`, answer);
  const call = ensureModelContainer(azure.azure, identity, { name: 'boats', role: 'source' }, signal());
  expect(classify(await thrownBy(call))).toMatchObject({ class: 'retry', requestId: REQUEST_ID });
  expect(azure.wire.requests).toHaveLength(1);
});

describe('signing in', () => {
  const CLUSTER = inGroup('Microsoft.ContainerService/managedClusters/slipway-boats');
  const ref = clusterRef(identity, 'slipway-boats');

  /** A token is kept: only a new connection signs in. */
  async function signingIn(run: (fresh: RecordedAzure) => Promise<void>): Promise<void> {
    const fresh = await RecordedAzure.start();
    try {
      await run(fresh);
    } finally {
      await fresh.stop();
    }
  }

  it('asks for a token of Resource Manager, wherever that answers, once for several calls', () =>
    signingIn(async (fresh) => {
      fresh.on(`GET ${CLUSTER}`, clusterRead('Creating'), clusterRead('Succeeded'));
      fresh.on(`GET ${inWorkspace('/models/boats')}`, mlError(404, 'Not found.'));
      await getCluster(fresh.azure, ref, signal());
      await getCluster(fresh.azure, ref, signal());
      await getModelContainer(fresh.azure, identity, 'boats', signal());
      expect(fresh.signIns).toHaveLength(1);
      const form = new URLSearchParams(fresh.signIns[0]?.body);
      expect(form.get('grant_type')).toBe('client_credentials');
      expect(form.get('scope')).toMatch(/^https:\/\/management\.azure\.com\/\.default( |$)/);
      expect(fresh.requests).toHaveLength(3);
    }));

  it.each<[string, Answer, object]>([
    ['a wrong secret', wrongSecret, { code: 'invalid_client', class: 'retrySlowly' }],
    ['an empty 503', errors.emptyUnavailable, { class: 'retry' }],
    ['a broken connection', BROKEN, { class: 'retry', answered: false }],
  ])('fails once, before anything is asked: %s', (_case, answer, expected) =>
    signingIn(async (fresh) => {
      fresh.onSignIn(answer);
      expect(classify(await thrownBy(getCluster(fresh.azure, ref, signal())))).toMatchObject(expected);
      expect(fresh.signIns).toHaveLength(1);
      expect(fresh.requests).toEqual([]);
    }),
  );
});
