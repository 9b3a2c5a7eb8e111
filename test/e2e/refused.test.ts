import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connectToAzure, type AzureConnection } from '../../src/azure/connection.js';
import { exitCodeOf } from '../../src/cli/exit-code-of.js';
import { EXIT } from '../../src/cli/exit-codes.js';
import { stackEnvironment } from '../../src/cli/local/stack.js';
import { ChangeFailed, SlipwayClient, type DeploymentSpecInput } from '../../src/client.js';
import { clusterRef } from '../../src/azure/clusters.js';
import { connectToKubernetes } from '../../src/azure/kubernetes/connection.js';
import { creations } from '../fixtures/e2e/journal.js';
import { sampleSpec, TestStack } from '../fixtures/e2e/stack.js';

let local: TestStack;
let azure: AzureConnection;
beforeAll(async () => {
  local = await TestStack.start();
  azure = connectToAzure(stackEnvironment(local.stack.temporal, local.stack.azure));
  await makeForeignThings();
});
afterEach(async () => {
  await local?.azure.resetQuotas();
  await local?.azure.resetPermissions();
});
afterAll(() => local?.stop());

/** A cluster and a model that no deployment of ours made. */
const FOREIGN = 'foreign';

async function makeForeignThings(): Promise<void> {
  const { subscriptionId, resourceGroup, workspaceName } = local.stack.azure;
  const cluster = {
    location: 'eastus',
    identity: { type: 'SystemAssigned' as const },
    dnsPrefix: FOREIGN,
    agentPoolProfiles: [{ name: 'nodes', mode: 'System', vmSize: 'Standard_D2s_v5', count: 1 }],
  };
  await azure
    .containerService(subscriptionId)
    .managedClusters.createOrUpdate(resourceGroup, FOREIGN, cluster, { updateIntervalInMs: 200 });
  const container = { properties: { tags: { team: 'other' } } };
  await azure
    .machineLearning(subscriptionId)
    .modelContainers.createOrUpdate(resourceGroup, workspaceName, FOREIGN, container);
}

/** Makes it look as if a deployment of the service ran on another cluster. */
async function liveOnOtherCluster(service: string): Promise<void> {
  const identity = local.client.identify(service);
  const tags = {
    'slipway-owner': `${identity.uid}/dearlier0000`,
    'slipway-cluster': clusterRef(identity, 'before').id,
  };
  await azure
    .machineLearning(identity.subscriptionId)
    .modelContainers.createOrUpdate(identity.resourceGroup, identity.workspaceName, `${service}-before`, {
      properties: { tags },
    });
}

/** Makes a Service of that name in the foreign cluster. */
async function servedByOthers(service: string): Promise<void> {
  const ref = clusterRef(local.client.identify(service), FOREIGN);
  const { core } = await connectToKubernetes(azure, ref, AbortSignal.timeout(10_000));
  const body = { metadata: { name: service }, spec: { ports: [{ port: 80 }], selector: { app: 'other' } } };
  await core.createNamespacedService({ namespace: 'default', body });
}

interface Refusal {
  readonly what: string;
  readonly spec: Partial<DeploymentSpecInput>;
  readonly code: string;
  /** What a person must find in the message, and in the fix. */
  readonly says: readonly RegExp[];
  readonly fix: readonly RegExp[];
  readonly prepare?: (service: string) => Promise<unknown>;
}

const forbid =
  (...notActions: string[]) =>
  () =>
    local.azure.setPermissions([{ actions: ['*'], notActions, dataActions: ['*'] }]);

const REFUSALS: readonly Refusal[] = [
  {
    what: 'a region that there is not',
    spec: { cluster: { region: 'eastus3' } },
    code: 'LocationNotAvailableForResourceType',
    says: [/cluster\.region is eastus3/],
    fix: [/such as eastus/, /westeurope/],
  },
  {
    what: 'a size that there is not',
    spec: { cluster: { vmSize: 'Standard_D4s_v33' } },
    code: 'VMSizeNotSupported',
    says: [/cluster\.vmSize is Standard_D4s_v33/, /eastus/],
    fix: [/Standard_D4s_v3\b/],
  },
  {
    what: 'a size that the region does not offer',
    spec: { cluster: { vmSize: 'Standard_NP10s', region: 'northeurope' } },
    code: 'VMSizeNotSupported',
    says: [/Standard_NP10s/, /northeurope does not offer/],
    fix: [/northeurope offers/],
  },
  {
    what: 'a size that the subscription may not use',
    spec: { cluster: { vmSize: 'Standard_PB6s', region: 'westus2' } },
    code: 'SizeRestricted',
    says: [/Standard_PB6s/, /westus2/, /NotAvailableForSubscription/],
    fix: [/another|such as/],
  },
  {
    what: 'a machine for the conversion that there is not',
    spec: { conversion: { instanceType: 'Standard_D4z_v3' } },
    code: 'VMSizeNotSupported',
    says: [/conversion\.instanceType is Standard_D4z_v3/],
    fix: [/Standard_D4s_v3/],
  },
  {
    what: 'more nodes than the quota of the family',
    spec: { cluster: { nodeCount: 30 }, patienceMinutes: 0 },
    code: 'QuotaExceeded',
    says: [/cluster\.nodeCount/, /needs 120 vCPUs in eastus/, /standardDSv3Family vCPUs: 0 of 100 are used/],
    fix: [/aka\.ms\/quotas/],
  },
  {
    what: 'more nodes than the quota of the region',
    spec: { cluster: { nodeCount: 2 }, patienceMinutes: 0 },
    prepare: () => local.azure.setQuota('cores', 9),
    code: 'QuotaExceeded',
    // The foreign cluster has two.
    says: [/needs 8 vCPUs/, /Total Regional vCPUs: 2 of 9 are used/],
    fix: [/cluster\.region/],
  },
  {
    what: 'a compute that the workspace does not have',
    spec: { conversion: { compute: 'gpu-cluster' } },
    code: 'ComputeNotFound',
    says: [/no compute gpu-cluster/],
    fix: [/conversion\.compute/, /cpu-cluster/],
  },
  {
    what: 'a cluster to adopt that there is not',
    spec: { cluster: { name: 'nowhere', existing: true } },
    code: 'ClusterNotFound',
    says: [/no cluster nowhere/],
    fix: [/cluster\.name/],
  },
  {
    what: 'a cluster to adopt that is elsewhere',
    spec: { cluster: { name: FOREIGN, existing: true, region: 'westeurope' } },
    code: 'ClusterInOtherRegion',
    says: [/foreign is in eastus/, /cluster\.region says westeurope/],
    fix: [/cluster\.region: eastus/],
  },
  {
    what: 'a cluster of that name that is not ours',
    spec: { cluster: { name: FOREIGN } },
    code: 'NameConflict',
    says: [/cluster foreign exists/],
    fix: [/cluster\.existing: true/],
  },
  {
    what: 'a Service of that name that is not ours, in the cluster to adopt',
    spec: { cluster: { name: FOREIGN, existing: true } },
    prepare: servedByOthers,
    code: 'NameConflict',
    says: [/Service refused-/, /not made by this service/],
    fix: [/Rename the service/],
  },
  {
    what: 'a model of that name that is not ours',
    spec: { model: { ...sampleSpec(FOREIGN).model, name: FOREIGN } },
    code: 'NameConflict',
    says: [/model foreign/],
    fix: [/model\.name/],
  },
  {
    what: 'a registered model that there is not',
    spec: { model: { source: 'azureml:unheard-of:7' } },
    code: 'ModelNotFound',
    says: [/unheard-of version 7/],
    fix: [/model\.source/],
  },
  {
    what: 'a service that lives on another cluster',
    spec: {},
    prepare: liveOnOtherCluster,
    code: 'ServiceOnOtherCluster',
    says: [/managedClusters\/before/],
    fix: [/slipway delete/],
  },
  {
    what: 'rights that are missing, each with its scope',
    spec: { patienceMinutes: 0 },
    prepare: forbid('Microsoft.ContainerService/managedClusters/write', 'Microsoft.Authorization/*/write'),
    code: 'AuthorizationFailed',
    says: [
      /client '[0-9a-f-]{36}' with object id/,
      /'Microsoft\.ContainerService\/managedClusters\/write' over scope '\/subscriptions\/[^/]+\/resourceGroups\/[^/]+'/,
      /'Microsoft\.Authorization\/roleAssignments\/write' over scope '[^']+\/registries\/slipwaylocal'/,
    ],
    fix: [/Azure Kubernetes Service Contributor Role on/, /Role Based Access Control Administrator on/],
  },
  {
    what: 'several things at once',
    spec: {
      conversion: { compute: 'gpu-cluster' },
      cluster: { vmSize: 'Standard_X1' },
      model: { source: 'azureml:no:1' },
    },
    code: 'ComputeNotFound',
    says: [/gpu-cluster/, /Standard_X1/, /no version 1/],
    fix: [/conversion\.compute/, /model\.source/, /eastus offers/],
  },
];

describe('is refused, and nothing is created', () => {
  it.each(REFUSALS.map((refusal, index) => ({ ...refusal, service: `refused-${index}` })))(
    '$what: $code',
    async ({ service, spec, prepare, code, says, fix }) => {
      await prepare?.(service);
      const before = await local.azure.lastSeq();
      const handle = await local.client.startDeployment(sampleSpec(service, spec));
      const failure = await handle.result().catch((error: unknown) => error);
      if (!(failure instanceof ChangeFailed)) throw new Error(`${service} was not refused: ${String(failure)}`);
      expect({ code: failure.code, undone: failure.undone, residue: failure.residue }).toEqual({
        code,
        undone: [],
        residue: [],
      });
      for (const words of says) expect(failure.message).toMatch(words);
      for (const words of fix) expect(failure.fix).toMatch(words);
      expect(exitCodeOf(failure)).toBe(EXIT.refused);
      expect(await madeSince(before)).toEqual([]);
      expect((await handle.progress()).undo).toEqual([]);
    },
  );

  it('a workspace that there is not, before anything is sent: WorkspaceNotFound', async () => {
    const { subscriptionId, resourceGroup } = local.stack.azure;
    const environment = { ...process.env, ...stackEnvironment(local.stack.temporal, local.stack.azure) };
    const workspace = { subscriptionId, resourceGroup, workspaceName: 'elsewhere' };
    const client = await SlipwayClient.connect({ workspace, environment });
    const before = await local.azure.lastSeq();
    const failure = await client.startDeployment(sampleSpec('homeless')).catch((error: unknown) => error);
    await client.close();
    expect(failure).toMatchObject({
      code: 'WorkspaceNotFound',
      message: expect.stringContaining('no workspace elsewhere') as string,
      fix: expect.stringContaining('workspace_name') as string,
    });
    expect(exitCodeOf(failure)).toBe(EXIT.refused);
    expect(await madeSince(before)).toEqual([]);
  });
});

/** What was created but blobs, which are cache. */
async function madeSince(before: number): Promise<unknown[]> {
  return creations(await local.azure.journal(before)).filter(({ effect }) => effect?.kind !== 'blob');
}
