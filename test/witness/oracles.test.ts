import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ContainerRegistryManagementClient } from '@azure/arm-containerregistry';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmulator, type TestEmulator } from '../fixtures/emulator.js';
import { installed, WITNESSES } from '../fixtures/witnesses.js';
import { createCluster, grantPull, kubeConfig, pushPodImage } from '../fixtures/kubernetes.js';

/** Checks that real servers passed, which are not part of this repository. */
const ORACLES = resolve(import.meta.dirname, '../../../shared/oracles');
const REGISTRY = 'slipwaylocal';
/** How much of its error an oracle shows that breaks off. */
const LAST_LINES = 10;

/** Runs an oracle; gives the lines of what is not as in the real server, or of why it broke off, and how many checks passed. */
async function judge(
  program: string,
  args: string[],
  environment: NodeJS.ProcessEnv,
): Promise<{ ok: number; failed: string[] }> {
  const { stdout, stderr, exitCode } = await execa(program, args, { env: environment, reject: false });
  const lines = stdout.split('\n');
  const failed = lines.filter((line) => /^(FAIL|skip) /.test(line));
  return {
    ok: lines.filter((line) => line.startsWith('ok ')).length,
    failed: failed.length > 0 || exitCode === 0 ? failed : stderr.trimEnd().split('\n').slice(-LAST_LINES),
  };
}

function oracles() {
  let emulator: TestEmulator;
  let directory: string;

  beforeAll(async () => {
    [emulator, directory] = await Promise.all([startEmulator(), mkdtemp(join(tmpdir(), 'slipway-oracles-'))]);
  });
  afterAll(async () => {
    await emulator?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('a cluster is as Kubernetes is to the Python client', async () => {
    const [image] = await Promise.all([pushPodImage(emulator, 'slipway/oracle'), createCluster(emulator, 'oracle')]);
    await grantPull(emulator, 'oracle');
    const config = join(directory, 'config');
    await writeFile(config, (await kubeConfig(emulator, 'oracle')).exportConfig());
    const script = join(ORACLES, 'k8s_check.py');
    const { ok, failed } = await judge(join(WITNESSES, 'python'), [script, config, 'conformance', image], {
      SKIP: 'apply', // server-side apply, which is absent
    });
    expect(failed).toEqual([]);
    expect(ok).toBeGreaterThan(350);
  });

  it('a registry is as others are to skopeo and crane, before sign-in and after', async () => {
    const { credential, endpoints, clientOptions } = emulator;
    const management = new ContainerRegistryManagementClient(credential, endpoints.subscriptionId, clientOptions);
    const { loginServer = '' } = await management.registries.get(endpoints.resourceGroup, REGISTRY);
    const { username = '', passwords } = await management.registries.listCredentials(endpoints.resourceGroup, REGISTRY);
    const script = join(ORACLES, 'registry_check.sh');
    const crane = { CRANE: join(WITNESSES, 'crane') };
    const { ok, failed } = await judge(
      'bash',
      [script, loginServer, endpoints.ca, username, passwords?.[0]?.value ?? ''],
      crane,
    );
    expect(failed).toEqual([]);
    expect(ok).toBeGreaterThan(150);
  });
}

if (existsSync(ORACLES)) describe.skipIf(!installed.oracleTools)('the oracle scripts', oracles);
else it('the oracle scripts are left out: there is no ../shared/oracles', () => undefined);
