import type { FastifyInstance } from 'fastify';
import { ArmError } from '../arm/errors.js';
import { regions } from './regions.js';

interface ProviderRoute {
  Params: { subscriptionId: string; namespace: string };
}

/** Resource types whose regions are asked for, by their provider. */
const resourceTypes: Readonly<Record<string, readonly string[]>> = {
  'Microsoft.ContainerService': ['managedClusters'],
};

/** Resource providers: get, with the regions of their resource types. All are registered. */
export function registerProviders(app: FastifyInstance): void {
  app.get<ProviderRoute>('/subscriptions/:subscriptionId/providers/:namespace', async ({ params }) => {
    const wanted = params.namespace.toLowerCase();
    const known = Object.entries(resourceTypes).find(([namespace]) => namespace.toLowerCase() === wanted);
    if (known === undefined) {
      const message = `The resource namespace '${params.namespace}' is invalid.`;
      throw new ArmError(404, 'InvalidResourceNamespace', message);
    }
    const [namespace, types] = known;
    const locations = regions.map(({ displayName }) => displayName);
    return {
      id: `/subscriptions/${params.subscriptionId}/providers/${namespace}`,
      namespace,
      registrationPolicy: 'RegistrationRequired',
      registrationState: 'Registered',
      resourceTypes: types.map((resourceType) => ({ resourceType, locations, apiVersions: [], capabilities: 'None' })),
    };
  });
}
