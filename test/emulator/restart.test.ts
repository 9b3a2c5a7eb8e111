import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StartError } from '../../src/emulator/core/start-error.js';
import { armClients, blobClient, emulatorEntry, startEmulator, type TestEmulator } from '../fixtures/emulator.js';

describe('an emulator that was killed', () => {
  let azure: TestEmulator;
  let workspaceId: string;
  const workspace = ['slipway-local', 'slipway'] as const;

  beforeAll(async () => {
    azure = await startEmulator({ process: true });
    workspaceId = (await armClients(azure).machineLearning.workspaces.get(...workspace)).id ?? '';
  });
  afterAll(() => azure.stop());

  it('comes back at the same addresses, with its resources, blobs and jobs', async () => {
    const { machineLearning } = armClients(azure);
    await machineLearning.modelVersions.createOrUpdate(...workspace, 'kept', '1', {
      properties: { modelUri: 'azureml://datastores/workspaceblobstore/paths/x' },
    });
    await machineLearning.environmentVersions.createOrUpdate(...workspace, 'bare', '1', {
      properties: { image: 'any' },
    });
    const blobs = await blobClient(azure);
    await blobs.getContainerClient('azureml').getBlockBlobClient('kept').upload('kept', 4);
    const body = { properties: { jobType: 'Command', command: 'sleep 1000', environmentId: 'azureml:bare:1' } };
    const job = `${workspaceId}/jobs/interrupted?api-version=2022-10-01`;
    await azure.call('PUT', job, { body });
    await untilRunning(job);
    const before = await azure.journal();
    const commands = jobCommands();
    expect(commands).toHaveLength(1);

    await azure.kill();
    await azure.restart();

    expect(jobCommands()).not.toContain(commands[0]);
    expect(await machineLearning.modelVersions.get(...workspace, 'kept', '1')).toMatchObject({ name: '1' });
    expect((await blobs.getContainerClient('azureml').getBlobClient('kept').downloadToBuffer()).toString()).toBe(
      'kept',
    );
    expect((await azure.journal()).slice(0, before.length)).toEqual(before);
    await untilRunning(job);
    await machineLearning.jobs.beginCancelAndWait(...workspace, 'interrupted');
    await expect.poll(() => jobCommands()).toEqual([]);
  });

  it('loses nothing that it answered for, whenever it is killed', async () => {
    const answered = new Set<string>();
    const put = async (name: string): Promise<void> => {
      const body = { properties: { modelUri: 'azureml://datastores/workspaceblobstore/paths/x' } };
      const path = `${workspaceId}/models/${name}/versions/1?api-version=2022-10-01`;
      if ((await azure.call('PUT', path, { body })).status < 300) answered.add(name);
    };
    for (const [round, ms] of [0, 30, 70, 150].entries()) {
      const before = answered.size;
      let isAlive = true;
      const writers = [0, 1, 2, 3].map(async (writer) => {
        for (let index = 0; isAlive; index += 1) {
          // The call that the kill cuts off is not answered.
          await put(`written-${round}-${writer}-${index}`).catch(() => (isAlive = false));
        }
      });
      while (answered.size === before) await delay(5);
      await delay(ms);
      await azure.kill();
      isAlive = false;
      await Promise.all(writers);
      await azure.restart();
      const found = new Set((await azure.inventory()).map(({ name }) => name.replace(/:1$/, '')));
      expect([...answered].filter((name) => !found.has(name))).toEqual([]);
    }
  });

  it('is the only one on its state', async () => {
    const second = startEmulator({ state: azure.state });
    await expect(second).rejects.toThrow(StartError);
    await expect(second).rejects.toThrow(/runs on this state already/);
  });

  it('leaves no process behind when it is told to stop', async () => {
    await azure.halt();
    const commands = processes().filter((command) => command.includes(azure.state));
    expect(commands).toEqual([]);
    await azure.restart();
  });

  async function untilRunning(job: string): Promise<void> {
    const status = async (): Promise<unknown> => {
      const { body } = await azure.call('GET', job);
      return (body as { properties: { status: string } }).properties.status;
    };
    while ((await status()) !== 'Running' || jobCommands().length === 0) await delay(50);
  }

  /** Processes of the job, as `pid command`. */
  function jobCommands(): string[] {
    return processes().filter((command) => command.endsWith('bash -c sleep 1000') || command.endsWith(' sleep 1000'));
  }
});

function processes(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [
          `${pid} ${readFileSync(join('/proc', pid, 'cmdline'), 'utf8')
            .split('\0')
            .join(' ')
            .trim()}`,
        ];
      } catch {
        return [];
      }
    });
}

describe('the command line', () => {
  it.each([
    [[], '--state DIR is required'],
    [['--state', '/nowhere', '--port', '0.5'], '--port wants a whole number'],
    [['--state', '/nowhere', '--time-scale', '0'], '--time-scale must be above 0'],
    [['--state', '/nowhere', '--tenant', 'mine'], '--tenant wants a UUID'],
    [['--state', '/nowhere', '--region', 'moon'], '--region wants a region of Azure'],
    [['--state', '/nowhere', '--host', 'https://x'], '--host wants a name'],
    [['--state', '/nowhere', '--prot', '1'], "Unknown option '--prot'"],
  ])('%j is refused with its reason', (flags, reason) => {
    const { status, stderr } = spawnSync(process.execPath, [emulatorEntry, ...flags], { encoding: 'utf8' });
    expect(status).toBe(2);
    expect(stderr).toContain(reason);
  });
});

describe('a start', () => {
  let state: string;
  beforeAll(async () => {
    state = await mkdtemp(join(tmpdir(), 'slipway-azure-'));
    await (await startEmulator({ state })).stop();
  });
  afterAll(() => rm(state, { recursive: true, force: true }));

  it.each([
    [['--region', 'westeurope'], 'this state was made with the region eastus, not westeurope'],
    [['--subscription', '00000000-0000-0000-0000-000000000001'], 'this state was made with the subscriptionId'],
  ])('with %j is refused where the state was made with another', (flags, reason) => {
    const { status, stderr } = run([...flags, '--state', state]);
    expect(status).toBe(1);
    expect(stderr).toContain(reason);
  });

  it.each(['192.0.2.1', '0.0.0.0', 'no-such-host.invalid'])('at %s is refused: only loopback is safe', (host) => {
    const { status, stderr } = run(['--state', join(state, 'remote'), '--host', host]);
    expect(status).toBe(1);
    expect(stderr).toMatch(host.endsWith('.invalid') ? /has no IPv4 address here/ : /no loopback address/);
  });

  function run(flags: string[]): { status: number | null; stderr: string } {
    return spawnSync(process.execPath, [emulatorEntry, ...flags], { encoding: 'utf8' });
  }
});
