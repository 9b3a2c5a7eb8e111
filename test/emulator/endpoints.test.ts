import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmulator, type TestEmulator } from '../fixtures/emulator.js';

const OWNER_ONLY = 0o600;
const PERMISSIONS = 0o777;

describe('what a local Azure says about itself', () => {
  let azure: TestEmulator;
  const node = (...args: string[]) =>
    execa(process.execPath, [`--env-file=${join(azure.state, 'endpoints.env')}`, ...args], {
      extendEnv: false,
      reject: false,
    });

  beforeAll(async () => {
    azure = await startEmulator();
  });
  afterAll(() => azure.stop());

  it('is a file of variables that Node can load', async () => {
    const { stdout } = await node('--print', 'JSON.stringify(process.env)');
    const { arm, ca, authorityHost, tenantId, clientId, clientSecret } = azure.endpoints;
    expect(JSON.parse(stdout)).toMatchObject({
      SLIPWAY_AZURE_ENDPOINT: arm,
      SLIPWAY_AZURE_CA: ca,
      AZURE_AUTHORITY_HOST: authorityHost,
      AZURE_TENANT_ID: tenantId,
      AZURE_CLIENT_ID: clientId,
      AZURE_CLIENT_SECRET: clientSecret,
    });
  });

  it.each(['endpoints.env', 'endpoints.json'])('is readable by its owner only: %s', (file) => {
    expect(statSync(join(azure.state, file)).mode & PERMISSIONS).toBe(OWNER_ONLY);
  });

  it('is enough for the health check of its container', async () => {
    const check = resolve(import.meta.dirname, '../../docker/azure-health.mjs');
    expect(await node(check)).toMatchObject({ exitCode: 0 });
    await azure.halt();
    expect(await node(check)).toMatchObject({ exitCode: 1 });
  });
});
