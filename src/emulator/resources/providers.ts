import type { FastifyInstance } from 'fastify';
import { apiVersionsOf } from '../arm/api-versions.js';
import { ArmError } from '../arm/errors.js';
import { page } from '../arm/paging.js';
import { regions } from './regions.js';

interface ProviderRoute {
  Params: { subscriptionId: string; namespace: string };
}

/** The resource types of each provider, as far as they are emulated. */
const resourceTypes: Readonly<Record<string, readonly string[]>> = {
  'Microsoft.Authorization': ['permissions', 'roleAssignments', 'roleDefinitions'],
  'Microsoft.Compute': ['locations/usages', 'skus'],
  'Microsoft.ContainerRegistry': ['registries'],
  'Microsoft.ContainerService': ['managedClusters', 'managedClusters/agentPools'],
  'Microsoft.MachineLearningServices': [
    'workspaces',
    ...['codes', 'computes', 'datastores', 'environments', 'jobs', 'models'].map((type) => `workspaces/${type}`),
  ],
  'Microsoft.Resources': ['resources', 'subscriptions', 'subscriptions/resourceGroups', 'tenants'],
  'Microsoft.Storage': ['storageAccounts'],
};

/** Resource providers: list, get and register, with the regions and api-versions of their types. All are registered. */
export function registerProviders(app: FastifyInstance): void {
  const path = '/subscriptions/:subscriptionId/providers';

  app.get<ProviderRoute>(path, async (request) =>
    page(
      request,
      Object.keys(resourceTypes).map((namespace) => provider(request.params.subscriptionId, namespace)),
    ),
  );
  app.get<ProviderRoute>(`${path}/:namespace`, async ({ params }) => find(params));
  app.post<ProviderRoute>(`${path}/:namespace/register`, async ({ params }) => find(params));
}

/** @throws ArmError 404 `InvalidResourceNamespace` */
function find({ subscriptionId, namespace }: ProviderRoute['Params']): object {
  const known = Object.keys(resourceTypes).find((name) => name.toLowerCase() === namespace.toLowerCase());
  if (known !== undefined) return provider(subscriptionId, known);
  throw new ArmError(404, 'InvalidResourceNamespace', `The resource namespace '${namespace}' is invalid.`);
}

function provider(subscriptionId: string, namespace: string): object {
  const locations = regions.map(({ displayName }) => displayName);
  const apiVersions = apiVersionsOf(namespace);
  return {
    id: `/subscriptions/${subscriptionId}/providers/${namespace}`,
    namespace,
    registrationPolicy: 'RegistrationRequired',
    registrationState: 'Registered',
    resourceTypes: (resourceTypes[namespace] ?? []).map((resourceType) => ({
      resourceType,
      locations,
      apiVersions,
      defaultApiVersion: apiVersions[0],
      capabilities: resourceType.includes('/') ? 'None' : 'SupportsTags, SupportsLocation',
    })),
  };
}
