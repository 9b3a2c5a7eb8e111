import type { FastifyInstance } from 'fastify';
import type { Emulator } from '../core/emulator.js';
import { regions } from './regions.js';

/** The one subscription with its regions, and the tenant that it belongs to. */
export function registerSubscriptions(app: FastifyInstance, emulator: Emulator): void {
  const { subscriptionId, tenantId } = emulator.place;
  const subscription = {
    id: `/subscriptions/${subscriptionId}`,
    authorizationSource: 'RoleBased',
    managedByTenants: [],
    subscriptionId,
    tenantId,
    displayName: 'Local Azure',
    state: 'Enabled',
    subscriptionPolicies: {
      locationPlacementId: 'Public_2014-09-01',
      quotaId: 'PayAsYouGo_2014-09-01',
      spendingLimit: 'Off',
    },
  };
  const tenant = {
    id: `/tenants/${tenantId}`,
    tenantId,
    countryCode: 'US',
    displayName: 'Local Azure',
    domains: [],
    tenantCategory: 'Home',
    tenantType: 'AAD',
  };

  app.get('/subscriptions', async () => ({ value: [subscription], count: { type: 'Total', value: 1 } }));
  app.get('/subscriptions/:subscriptionId', async () => subscription);
  app.get('/tenants', async () => ({ value: [tenant] }));
  app.get('/subscriptions/:subscriptionId/locations', async () => ({
    value: regions.map(({ name, displayName }) => ({
      id: `/subscriptions/${subscriptionId}/locations/${name}`,
      name,
      type: 'Region',
      displayName,
      regionalDisplayName: displayName,
      metadata: { regionType: 'Physical', regionCategory: 'Recommended' },
    })),
  }));
}
