import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { roleDefinitionGuids, type RoleName } from '../../src/emulator/authorization/role-definitions.js';
import { form, LocalRegistry } from '../fixtures/registry.js';
import { push, smallImage } from '../fixtures/small-image.js';

describe('signing in to a container registry', () => {
  let local: LocalRegistry;
  const image = smallImage('a layer');

  beforeAll(async () => {
    local = await LocalRegistry.start();
    await push(local.content('app'), image, 'v1');
  });

  afterAll(async () => {
    await local.stop();
  });

  /** Assigns a role at the registry by Resource Manager, and waits until it has propagated. */
  async function assign(principalId: string, role: RoleName): Promise<void> {
    const { registry, emulator, armUrl } = local;
    const subscription = registry.id.split('/').slice(0, 3).join('/');
    const roleDefinitionId = `${subscription}/providers/Microsoft.Authorization/roleDefinitions/${roleDefinitionGuids[role]}`;
    const answer = await local.call(
      `${armUrl}${registry.id}/providers/Microsoft.Authorization/roleAssignments/${randomUUID()}?api-version=2022-04-01`,
      {
        method: 'PUT',
        headers: {
          authorization: `Bearer ${emulator.issueToken('https://management.azure.com', emulator.tokens.identity.objectId)}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ properties: { principalId, roleDefinitionId, principalType: 'ServicePrincipal' } }),
      },
    );
    expect(answer.status).toBe(201);
    emulator.clock.advance(600_000);
  }

  it('answers an anonymous call with where to fetch a token', async () => {
    const answer = await local.call('/v2/app/manifests/v1');
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe(
      `Bearer realm="${local.url}/oauth2/token",service="${local.registry.loginServer}",scope="repository:app:pull"`,
    );
    expect(JSON.parse(answer.body.toString())).toMatchObject({ errors: [{ code: 'UNAUTHORIZED' }] });
  });

  it('lets the kubelet of a cluster pull only once its role has propagated', async () => {
    const kubelet = randomUUID();
    await expect(local.content('app', kubelet).getManifest('v1')).rejects.toMatchObject({ statusCode: 401 });
    await assign(kubelet, 'AcrPull');
    expect((await local.content('app', kubelet).getManifest('v1')).digest).toBe(image.manifest.digest);
  });

  it.each<[RoleName, string[]]>([
    ['AcrPull', ['pull']],
    ['AcrPush', ['pull', 'push']],
    ['Contributor', ['pull', 'push', 'delete']],
    ['Reader', []],
  ])('allows %s to %j', async (role, allowed) => {
    const principal = randomUUID();
    await assign(principal, role);
    const content = local.content('app', principal);
    const attempts = {
      pull: () => content.getManifest('v1'),
      push: () => content.uploadBlob(Buffer.from(role)),
      delete: () => content.deleteManifest(`sha256:${'0'.repeat(64)}`),
    };
    for (const [action, attempt] of Object.entries(attempts)) {
      const outcome = await attempt().then(
        () => 'allowed',
        (error: { statusCode?: number }) => error.statusCode,
      );
      expect([action, outcome]).toEqual([action, allowed.includes(action) ? 'allowed' : 401]);
    }
  });

  it('takes the admin password by Basic, at the registry and at the token endpoint', async () => {
    expect((await local.asAdmin('/v2/')).status).toBe(200);
    const token = await local.asAdmin(
      `/oauth2/token?service=${local.registry.loginServer}&scope=repository:app:pull&scope=registry:catalog:*`,
    );
    const { access_token: bearer } = JSON.parse(token.body.toString()) as { access_token: string };
    const headers = { authorization: `Bearer ${bearer}` };
    expect((await local.call('/v2/app/tags/list', { headers })).status).toBe(200);
    expect((await local.call('/v2/_catalog', { headers })).status).toBe(200);
    expect((await local.call('/v2/app/blobs/uploads/', { method: 'POST', headers })).status).toBe(401);
  });

  it('takes a refresh token as the password of the all-zero user', async () => {
    const refresh = await local.refreshToken(local.emulator.tokens.identity.objectId);
    const basic = Buffer.from(`00000000-0000-0000-0000-000000000000:${refresh}`).toString('base64');
    const answer = await local.call('/oauth2/token?scope=repository:app:pull', {
      headers: { authorization: `Basic ${basic}` },
    });
    expect(answer.status).toBe(200);
  });

  it.each([
    ['an Entra ID token for another audience', () => local.emulator.issueToken('https://vault.azure.net', 'someone')],
    ['a token that is none', () => 'nonsense'],
  ])('exchanges no %s', async (_what, token) => {
    const fields = { grant_type: 'access_token', access_token: token() };
    expect((await local.call('/oauth2/exchange', form(fields))).status).toBe(401);
  });

  it('refuses a wrong password, and a password of another registry', async () => {
    const answer = await local.call('/v2/', {
      headers: { authorization: `Basic ${Buffer.from('images:wrong').toString('base64')}` },
    });
    expect(answer.status).toBe(401);
    const fields = { grant_type: 'password', username: 'other', password: local.registry.passwords[0] };
    expect((await local.call('/oauth2/token', form(fields))).status).toBe(401);
  });

  it('refuses an access token that has expired', async () => {
    const refresh = await local.refreshToken(local.emulator.tokens.identity.objectId);
    const fields = { grant_type: 'refresh_token', refresh_token: refresh, scope: 'repository:app:pull' };
    const answer = await local.call('/oauth2/token', form(fields));
    const { access_token: bearer } = JSON.parse(answer.body.toString()) as { access_token: string };
    const headers = { authorization: `Bearer ${bearer}` };
    expect((await local.call('/v2/app/tags/list', { headers })).status).toBe(200);
    local.emulator.clock.advance(2 * 3600_000);
    const late = await local.call('/v2/app/tags/list', { headers });
    expect([late.status, late.headers['www-authenticate']]).toEqual([401, expect.stringContaining('invalid_token')]);
  });
});
