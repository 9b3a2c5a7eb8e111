import { describe, expect, it } from 'vitest';
import { listClusterRegions, listUsages, listVmSizes, usageOf } from '../../src/azure/compute.js';
import { classify, isForbidden } from '../../src/azure/failures.js';
import { listPermissions } from '../../src/azure/permissions.js';
import { recordedAzure, signal, thrownBy } from '../fixtures/azure-wire/place.js';
import { GROUP, SUBSCRIPTION } from '../fixtures/azure-wire/recordings/arm.js';
import * as recorded from '../fixtures/azure-wire/recordings/compute.js';
import * as errors from '../fixtures/azure-wire/recordings/errors.js';

const azure = recordedAzure();
const PROVIDERS = `/subscriptions/${SUBSCRIPTION}/providers`;
const SKUS = `${PROVIDERS}/Microsoft.Compute/skus`;
const USAGES = `${PROVIDERS}/Microsoft.Compute/locations/eastus/usages`;

describe('the sizes of a region', () => {
  const sizes = () => listVmSizes(azure.azure, SUBSCRIPTION, 'eastus', signal());

  it('are asked for by region, and read over all pages', async () => {
    azure.wire.on(
      `GET ${SKUS}`,
      recorded.skuPage([{ name: 'Standard_D4s_v3' }], `{origin}${SKUS}/page2?api-version=2021-07-01&%24skiptoken=2`),
    );
    azure.wire.on(
      `GET ${SKUS}/page2`,
      recorded.skuPage([{ name: 'Standard_NC4as_T4_v3', family: 'standardNCASv3T4Family' }]),
    );
    expect(await sizes()).toEqual([
      { name: 'Standard_D4s_v3', family: 'standardDSv3Family', cores: 4, restriction: undefined },
      { name: 'Standard_NC4as_T4_v3', family: 'standardNCASv3T4Family', cores: 4, restriction: undefined },
    ]);
    expect(azure.wire.asked[0]?.query.get('$filter')).toBe("location eq 'eastus'");
    expect(azure.wire.asked).toHaveLength(2);
  });

  it.each([
    ['a restriction of the region', [recorded.regionRestriction], 'NotAvailableForSubscription'],
    ['not one of some zones', [recorded.zoneRestriction], undefined],
    [
      'the one of the region among others',
      [recorded.zoneRestriction, recorded.regionRestriction],
      'NotAvailableForSubscription',
    ],
  ])('carry %s', async (_case, restrictions, restriction) => {
    azure.wire.on(`GET ${SKUS}`, recorded.skuPage([{ name: 'Standard_PB6s', vCPUs: 6, restrictions }]));
    expect(await sizes()).toMatchObject([{ name: 'Standard_PB6s', cores: 6, restriction }]);
  });

  it('are no disks, of which the same list is full', async () => {
    azure.wire.on(`GET ${SKUS}`, recorded.skuPage([{ name: 'Premium_LRS', resourceType: 'disks' }]));
    expect(await sizes()).toEqual([]);
  });
});

describe('the usages of a region', () => {
  it('say what is used of what', async () => {
    azure.wire.on(`GET ${USAGES}`, recorded.usages);
    const usages = await listUsages(azure.azure, SUBSCRIPTION, 'eastus', signal());
    expect(usageOf(usages, 'cores')).toEqual({ name: 'cores', label: 'Total Regional vCPUs', used: 30, limit: 100 });
    expect(usageOf(usages, 'standardDSv3Family')).toMatchObject({ used: 8, limit: 10 });
    expect(usageOf(usages, 'standardNCASv3T4Family')).toMatchObject({ limit: 16 });
    expect(usageOf(usages, 'standardNPSFamily')).toBeUndefined();
  });

  it('are refused where there is no region', async () => {
    azure.wire.on(`GET ${USAGES.replace('eastus', 'atlantis')}`, recorded.usagesOfNoRegion);
    const thrown = await thrownBy(listUsages(azure.azure, SUBSCRIPTION, 'atlantis', signal()));
    expect(classify(thrown)).toMatchObject({ code: 'NoRegisteredProviderFound', class: 'fatal' });
  });
});

it('the regions of AKS have the names that resources carry', async () => {
  azure.wire.on(`GET ${PROVIDERS}/Microsoft.ContainerService`, recorded.containerServiceProvider);
  expect(await listClusterRegions(azure.azure, SUBSCRIPTION, signal())).toEqual(['eastus', 'westus2', 'uaenorth']);
});

describe('the permissions at a scope', () => {
  const scope = `/subscriptions/${SUBSCRIPTION}/resourceGroups/${GROUP}`;
  const PERMISSIONS = `${scope}/providers/Microsoft.Authorization/permissions`;
  const list = () => listPermissions(azure.azure, SUBSCRIPTION, scope, signal());

  it('are those of each role, over all pages, however much of it is left out', async () => {
    const next = `{origin}${PERMISSIONS}/page2?api-version=2022-04-01`;
    azure.wire.on(
      `GET ${PERMISSIONS}`,
      recorded.permissionsPage([{ actions: ['*'], notActions: ['*/write'], dataActions: null }], next),
    );
    azure.wire.on(
      `GET ${PERMISSIONS}/page2`,
      recorded.permissionsPage([{ dataActions: ['x/read'], notDataActions: [] }]),
    );
    expect(await list()).toEqual([
      { actions: ['*'], notActions: ['*/write'], dataActions: [], notDataActions: [] },
      { actions: [], notActions: [], dataActions: ['x/read'], notDataActions: [] },
    ]);
    expect(azure.wire.asked[0]?.query.get('api-version')).toBe('2022-04-01');
    expect(azure.wire.asked[0]?.headers.authorization).toBe('Bearer recorded-entra-token');
  });

  it('may not be seen by everyone', async () => {
    azure.wire.on(`GET ${PERMISSIONS}`, errors.authorizationFailed);
    const thrown = await thrownBy(list());
    expect(isForbidden(thrown)).toBe(true);
    expect(classify(thrown)).toMatchObject({ code: 'AuthorizationFailed', class: 'retrySlowly' });
  });
});
