import type { FastifyInstance } from 'fastify';

/**
 * The endpoints of this cloud, which clients ask for before they sign in: `az cloud register` for one. The shape is that of
 * api-version 2022-09-01. Resources say their addresses themselves; az wants a registry's suffix all the same, and gets one
 * that is nobody's.
 */
export function registerCloud(app: FastifyInstance): void {
  app.get('/metadata/endpoints', async ({ host }) => {
    const address = `https://${host}`;
    return {
      name: 'LocalAzure',
      resourceManager: address,
      authentication: {
        loginEndpoint: address,
        audiences: ['https://management.core.windows.net/', 'https://management.azure.com/'],
        tenant: 'common',
        identityProvider: 'AAD',
      },
      graphAudience: address,
      graph: address,
      microsoftGraphResourceId: address,
      suffixes: { acrLoginServer: 'azurecr.invalid' },
    };
  });
}
