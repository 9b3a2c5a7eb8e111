import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmulator, type TestEmulator } from '../fixtures/emulator.js';

let azure: TestEmulator;
let subscription: string;
let group: string;
beforeAll(async () => {
  azure = await startEmulator();
  subscription = `/subscriptions/${azure.endpoints.subscriptionId}`;
  group = `${subscription}/resourceGroups/${azure.endpoints.resourceGroup}`;
  for (const name of ['one', 'two']) {
    await azure.call('PUT', `${subscription}/resourceGroups/${name}?api-version=2021-04-01`, {
      body: { location: 'westus2', tags: { team: name } },
    });
  }
  const registry = `${subscription}/resourceGroups/one/providers/Microsoft.ContainerRegistry/registries/inone`;
  await azure.call('PUT', `${registry}?api-version=2025-11-01`, {
    body: { location: 'westus2', sku: { name: 'Basic' }, tags: { Team: 'images' } },
  });
});
afterAll(() => azure?.stop());

const get = (path: string, query = '') => azure.call('GET', `${path}?api-version=2021-04-01${query}`);
interface Listed {
  value: { id: string; name: string; type: string; location: string; provisioningState?: string }[];
  nextLink?: string;
}
const list = async (path: string, query = '') => (await get(path, query)).body as Listed;
const names = ({ value }: Listed) => value.map(({ name }) => name);
const filter = (expression: string) => `&$filter=${encodeURIComponent(expression)}`;

describe('the subscription', () => {
  it('is the one that the application sees, in its tenant', async () => {
    const { subscriptionId, tenantId } = azure.endpoints;
    const listed = await get('/subscriptions');
    expect(listed.body).toMatchObject({ value: [{ id: subscription, subscriptionId, tenantId, state: 'Enabled' }] });
    expect(await get(subscription)).toMatchObject({
      status: 200,
      body: { subscriptionId, displayName: 'Local Azure' },
    });
    const { token } = await azure.credential.getToken('https://management.azure.com/.default');
    const tenants = await azure.call('GET', '/tenants?api-version=2022-12-01', { token });
    expect(tenants).toMatchObject({ status: 200, body: { value: [{ tenantId }] } });
    expect(await azure.call('GET', '/tenants?api-version=2022-12-01', { token: null })).toMatchObject({ status: 401 });
  });

  it('has regions, and providers that are registered', async () => {
    const { value } = await list(`${subscription}/locations`);
    expect(value).toContainEqual(
      expect.objectContaining({ name: 'westus2', displayName: 'West US 2', type: 'Region' }),
    );
    const { body } = await get(`${subscription}/providers`);
    const { value: providers } = body as { value: { namespace: string; registrationState: string }[] };
    expect(providers.map(({ namespace }) => namespace)).toContain('Microsoft.Storage');
    expect(new Set(providers.map(({ registrationState }) => registrationState))).toEqual(new Set(['Registered']));
    const path = `${subscription}/providers/microsoft.containerservice`;
    expect((await get(path)).body).toMatchObject({ namespace: 'Microsoft.ContainerService' });
    const registered = await azure.call('POST', `${path}/register?api-version=2021-04-01`);
    expect(registered).toMatchObject({ status: 200, body: { registrationState: 'Registered' } });
    // Older than any version of the provider's own resources.
    const older = await get(`${subscription}/providers/Microsoft.MachineLearningServices`);
    expect(older.status).toBe(200);
    const unknown = await get(`${subscription}/providers/Microsoft.Unknown`);
    expect(unknown).toMatchObject({ status: 404, body: { error: { code: 'InvalidResourceNamespace' } } });
  });
});

describe('the resources of a subscription', () => {
  const all = ['inone', 'slipway', 'slipwaylocal', 'slipwaylocal'];

  it('are listed whatever their type, and those of one group', async () => {
    expect(names(await list(`${subscription}/resources`)).sort()).toEqual(all);
    expect(names(await list(`${subscription}/resourceGroups/ONE/resources`))).toEqual(['inone']);
    expect(names(await list(`${subscription}/resourceGroups/two/resources`))).toEqual([]);
    expect(await get(`${subscription}/resourceGroups/none/resources`)).toMatchObject({ status: 404 });
    const [workspace] = (await list(`${group}/resources`)).value.filter(({ name }) => name === 'slipway');
    expect(workspace).toMatchObject({
      id: `${group}/providers/Microsoft.MachineLearningServices/workspaces/slipway`,
      type: 'Microsoft.MachineLearningServices/workspaces',
      location: 'eastus',
      sku: { name: 'Basic' },
    });
    expect(workspace).not.toHaveProperty('provisioningState');
  });

  it.each([
    ["resourceType eq 'microsoft.containerregistry/registries'", ['inone', 'slipwaylocal']],
    ["resourceGroup eq 'one'", ['inone']],
    ["location eq 'WestUS2'", ['inone']],
    ["name eq 'slipway'", ['slipway']],
    ["substringof('LOCAL', name)", ['slipwaylocal', 'slipwaylocal']],
    ["tagName eq 'team'", ['inone']],
    ["tagName eq 'team' and tagValue eq 'images'", ['inone']],
    ["tagName eq 'team' and tagValue eq 'Images'", []],
    ["resourceGroup eq 'one' and name eq 'slipway'", []],
  ])('are filtered by %s', async (expression, found) => {
    expect(names(await list(`${subscription}/resources`, filter(expression)))).toEqual(found);
  });

  it.each(["size eq 'large'", "name ne 'x'", 'nonsense', "tagValue eq 'alone'"])(
    'refuse the filter %s',
    async (wrong) => {
      const refused = await get(`${subscription}/resources`, filter(wrong));
      expect(refused).toMatchObject({ status: 400, body: { error: { code: 'InvalidFilterInQueryString' } } });
    },
  );

  it('say more of themselves when asked', async () => {
    const { value } = await list(`${subscription}/resources`, '&$expand=createdTime,provisioningState');
    for (const resource of value) {
      expect(resource).toMatchObject({
        provisioningState: 'Succeeded',
        createdTime: expect.stringContaining('T') as string,
      });
    }
  });

  it('come in pages', async () => {
    const found: string[] = [];
    let link: string | undefined = `${azure.endpoints.arm}${subscription}/resources?api-version=2021-04-01&$top=3`;
    const sizes: number[] = [];
    while (link !== undefined) {
      const { body } = await azure.call('GET', link.slice(azure.endpoints.arm.length));
      const page = body as Listed;
      sizes.push(page.value.length);
      found.push(...names(page));
      link = page.nextLink;
    }
    expect(sizes).toEqual([3, 1]);
    expect(found.sort()).toEqual(all);
    expect(await get(`${subscription}/resources`, '&$top=none')).toMatchObject({ status: 400 });
  });
});

describe('resource groups', () => {
  it('are listed, by tag and in pages', async () => {
    const path = `${subscription}/resourceGroups`;
    expect(names(await list(path))).toEqual(['one', 'slipway-local', 'two']);
    expect(names(await list(path, filter("tagName eq 'team' and tagValue eq 'two'")))).toEqual(['two']);
    expect(await list(path, '&$top=1')).toMatchObject({
      value: [{ name: 'one' }],
      nextLink: expect.stringContaining('skiptoken=1') as string,
    });
  });

  it('are there or not', async () => {
    const head = (name: string) => azure.call('HEAD', `${subscription}/resourceGroups/${name}?api-version=2021-04-01`);
    expect(await head('one')).toMatchObject({ status: 204, body: '' });
    expect(await head('none')).toMatchObject({ status: 404 });
  });

  it('take other tags, and stay where they are', async () => {
    const path = `${subscription}/resourceGroups/two?api-version=2021-04-01`;
    const patched = await azure.call('PATCH', path, { body: { tags: { team: 'two', more: 'yes' } } });
    expect(patched).toMatchObject({ status: 200, body: { location: 'westus2', tags: { team: 'two', more: 'yes' } } });
    expect((await azure.call('GET', path)).body).toEqual(patched.body);
    const absent = await azure.call('PATCH', path.replace('two', 'none'), { body: { tags: {} } });
    expect(absent).toMatchObject({ status: 404, body: { error: { code: 'ResourceGroupNotFound' } } });
  });
});
