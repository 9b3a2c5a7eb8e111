/** What a right is granted on. */
export type RightScope = 'subscription' | 'resource group' | 'workspace' | 'storage account' | 'registry' | 'cluster';

/** What a role of Azure's is needed for. The table is also in docs/azure.md. */
export interface Right {
  readonly on: RightScope;
  /** The smallest built-in role that holds all of it. */
  readonly role: string;
  readonly actions: readonly string[];
  /** Actions on the data in the resource, which other roles hold than those on the resource. */
  readonly dataActions?: readonly string[];
  /** When it is needed; absent: always. */
  readonly when?: 'cluster is created' | 'cluster exists' | 'registry without ABAC' | 'registry with ABAC' | 'optional';
}

const ML = 'Microsoft.MachineLearningServices/workspaces';
const BLOBS = 'Microsoft.Storage/storageAccounts/blobServices/containers/blobs';
const REGISTRY = 'Microsoft.ContainerRegistry/registries';
const CLUSTER = 'Microsoft.ContainerService/managedClusters';

/** Everything that a deployment and its undo do in Azure and need a right for. */
export const RIGHTS: readonly Right[] = [
  { on: 'workspace', role: 'Reader', actions: [`${ML}/read`, `${ML}/datastores/read`] },
  { on: 'storage account', role: 'Reader', actions: ['Microsoft.Storage/storageAccounts/read'] },
  { on: 'registry', role: 'Reader', actions: [`${REGISTRY}/read`] },
  {
    on: 'storage account',
    role: 'Storage Blob Data Contributor',
    actions: [],
    dataActions: [`${BLOBS}/read`, `${BLOBS}/write`],
  },
  {
    on: 'workspace',
    role: 'AzureML Data Scientist',
    actions: [
      `${ML}/models/write`,
      `${ML}/models/delete`,
      `${ML}/models/versions/write`,
      `${ML}/models/versions/delete`,
      `${ML}/environments/versions/write`,
      `${ML}/codes/versions/write`,
      `${ML}/jobs/write`,
      `${ML}/jobs/cancel/action`,
      `${ML}/jobs/delete`,
    ],
  },
  {
    on: 'registry',
    role: 'AcrPush',
    actions: [`${REGISTRY}/pull/read`, `${REGISTRY}/push/write`],
    when: 'registry without ABAC',
  },
  { on: 'registry', role: 'AcrDelete', actions: [`${REGISTRY}/artifacts/delete`], when: 'registry without ABAC' },
  {
    on: 'registry',
    role: 'Container Registry Repository Contributor',
    actions: [],
    dataActions: [
      `${REGISTRY}/repositories/content/read`,
      `${REGISTRY}/repositories/content/write`,
      `${REGISTRY}/repositories/content/delete`,
    ],
    when: 'registry with ABAC',
  },
  {
    on: 'registry',
    role: 'Role Based Access Control Administrator',
    actions: ['Microsoft.Authorization/roleAssignments/write', 'Microsoft.Authorization/roleAssignments/delete'],
  },
  {
    on: 'resource group',
    role: 'Azure Kubernetes Service Contributor Role',
    actions: [
      `${CLUSTER}/read`,
      `${CLUSTER}/write`,
      `${CLUSTER}/delete`,
      `${CLUSTER}/listClusterUserCredential/action`,
    ],
    when: 'cluster is created',
  },
  {
    on: 'cluster',
    role: 'Azure Kubernetes Service Cluster User Role',
    actions: [`${CLUSTER}/read`, `${CLUSTER}/listClusterUserCredential/action`],
    when: 'cluster exists',
  },
  {
    on: 'subscription',
    role: 'Reader',
    actions: [
      'Microsoft.Resources/subscriptions/providers/read',
      'Microsoft.Compute/skus/read',
      'Microsoft.Compute/locations/usages/read',
    ],
    when: 'optional',
  },
];

/** The role that lets an identity give another one the right to pull. */
export const GRANTING_ACTION = 'Microsoft.Authorization/roleAssignments/write';
