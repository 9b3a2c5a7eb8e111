import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { LocalRegistry, resourceGroup } from '../fixtures/registry.js';

describe('container registries of Resource Manager', () => {
  let local: LocalRegistry;

  beforeAll(async () => {
    local = await LocalRegistry.start();
  });

  afterAll(async () => {
    await local.stop();
  });

  const create = async (name: string) =>
    local
      .management()
      .registries.create(resourceGroup, name, { location: 'eastus', sku: { name: 'Basic' } })
      .pollUntilDone();

  it('creates a registry that answers at its login server at once', async () => {
    const created = await create('created');
    expect(created).toMatchObject({ name: 'created', provisioningState: 'Succeeded', adminUserEnabled: false });
    const ping = await local.call(`https://${created.loginServer ?? ''}/v2/`);
    expect(ping.status).toBe(401);
  });

  it('keeps the address of a registry that is put again', async () => {
    const first = await create('again');
    expect((await create('again')).loginServer).toBe(first.loginServer);
  });

  it('lists by resource group and subscription', async () => {
    await create('listed');
    const names = async (list: AsyncIterable<{ name?: string }>) => {
      const found: (string | undefined)[] = [];
      for await (const { name } of list) found.push(name);
      return found;
    };
    const { registries } = local.management();
    expect(await names(registries.listByResourceGroup(resourceGroup))).toEqual(
      expect.arrayContaining(['images', 'listed']),
    );
    expect(await names(registries.list())).toEqual(expect.arrayContaining(['images', 'listed']));
  });

  it('gives the admin credentials only where the admin user is on', async () => {
    await create('guarded');
    const { registries } = local.management();
    await expect(registries.listCredentials(resourceGroup, 'guarded')).rejects.toMatchObject({
      code: 'UnAuthorizedForCredentialOperations',
    });
    await registries.update(resourceGroup, 'guarded', { adminUserEnabled: true, tags: { team: 'a' } }).pollUntilDone();
    const credentials = await registries.listCredentials(resourceGroup, 'guarded');
    expect(credentials).toMatchObject({
      username: 'guarded',
      passwords: [{ name: 'password' }, { name: 'password2' }],
    });
    expect((await registries.get(resourceGroup, 'guarded')).tags).toEqual({ team: 'a' });
  });

  it('replaces one password and leaves the other', async () => {
    const { registries } = local.management();
    const [first, second] = local.registry.passwords;
    const { passwords = [] } = await registries.regenerateCredential(resourceGroup, 'images', { name: 'password' });
    expect(passwords.map(({ value }) => value)).toEqual([expect.not.stringMatching(first), second]);
    expect((await local.asAdmin('/v2/')).status).toBe(401);
  });

  it.each([
    ['unheardof', { nameAvailable: true }],
    ['images', { nameAvailable: false, reason: 'AlreadyExists' }],
    ['a-b', { nameAvailable: false, reason: 'Invalid' }],
  ])('tells whether the name %s can be had', async (name, answer) => {
    const type = 'Microsoft.ContainerRegistry/registries';
    const found = await local.management().registries.checkNameAvailability({ name, type });
    expect(found).toMatchObject(answer);
  });

  it('takes no changes to a registry that is being deleted', async () => {
    await create('leaving');
    local.emulator.faults.add({
      name: 'deleting-for-ever',
      match: { service: 'arm', method: 'DELETE', path: '/leaving', nth: 1 },
      times: 1,
      when: 'operation',
      then: { stuck: true },
    });
    const { registries } = local.management();
    await registries.delete(resourceGroup, 'leaving').submitted();
    expect(await registries.get(resourceGroup, 'leaving')).toMatchObject({ provisioningState: 'Deleting' });
    await expect(create('leaving')).rejects.toMatchObject({ statusCode: 409, code: 'RegistryBeingDeleted' });
  });

  it('deletes a registry with what is in it, saying so by Location alone', async () => {
    const { loginServer = '' } = await create('doomed');
    const headers: (string | undefined)[] = [];
    const { registries } = local.management();
    await registries.delete(resourceGroup, 'doomed', {
      onResponse: ({ headers: given }) => headers.push(given.get('location'), given.get('azure-asyncoperation')),
    });
    expect(headers.slice(0, 2)).toEqual([expect.stringContaining('/operationResults/'), undefined]);
    await expect(registries.get(resourceGroup, 'doomed')).rejects.toMatchObject({ code: 'ResourceNotFound' });
    await expect(local.call(`https://${loginServer}/v2/`)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
