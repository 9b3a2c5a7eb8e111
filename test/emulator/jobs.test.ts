import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { AzureMachineLearningWorkspaces } from '@azure/arm-machinelearning';
import type { BlobServiceClient, ContainerClient } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { armClients, blobClient, startEmulator, type Reply, type TestEmulator } from '../fixtures/emulator.js';

let azure: TestEmulator;
let machineLearning: AzureMachineLearningWorkspaces;
let blobs: BlobServiceClient;
let container: ContainerClient;
let workspaceId: string;

const workspace = ['slipway-local', 'slipway'] as const;
const datastore = 'azureml://datastores/workspaceblobstore/paths';

let state: string;

beforeAll(async () => {
  // With a space, which bash would split an unguarded path at.
  state = mkdtempSync(join(tmpdir(), 'slipway jobs '));
  azure = await startEmulator({ state });
  ({ machineLearning } = armClients(azure));
  workspaceId = (await machineLearning.workspaces.get(...workspace)).id ?? '';
  blobs = await blobClient(azure);
  const store = await machineLearning.datastores.get(...workspace, 'workspaceblobstore');
  const { containerName } = store.properties as { containerName: string };
  container = blobs.getContainerClient(containerName);

  await container.getBlockBlobClient('in/a/words.txt').upload('to the water', 12);
  const program =
    "import pathlib, sys\nout = pathlib.Path(sys.argv[2])\n(out / 'deep').mkdir()\n" +
    "words = next(pathlib.Path(sys.argv[1]).rglob('*.txt')).read_text()\n" +
    "(out / 'deep' / 'upper.txt').write_text(words.upper())\nprint('wrote', sys.argv[3])\n";
  await container.getBlockBlobClient('code/1/program/shout.py').upload(program, program.length);
  await machineLearning.codeVersions.createOrUpdate(...workspace, 'shout', '1', {
    properties: { codeUri: `${container.url}/code/1` },
  });
  await machineLearning.environmentVersions.createOrUpdate(...workspace, 'bare', '1', {
    properties: { image: 'mcr.example/base@sha256:0', condaFile: 'dependencies: [python=3.11, pip]\n' },
  });
  await machineLearning.modelVersions.createOrUpdate(...workspace, 'words', '1', {
    properties: { modelUri: `${datastore}/in`, modelType: 'custom_model' },
  });
});
afterAll(async () => {
  await azure.stop();
  rmSync(state, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
});

/** Sends the PUT itself: version 2.1.1 of the client drops `uri` and `mode` of inputs and outputs. */
async function submit(name: string, command: string, more: Record<string, unknown> = {}): Promise<Reply> {
  const environmentId = `${workspaceId}/environments/bare/versions/1`;
  return azure.call('PUT', `${workspaceId}/jobs/${name}?api-version=2022-10-01`, {
    body: { properties: { jobType: 'Command', command, environmentId, ...more } },
  });
}

interface JobBody {
  properties: { status: string; error?: { code: string; message: string } };
}

/** Waits for a job's end, and returns the states that were seen on the way. */
async function finished(name: string): Promise<{ states: string[]; body: JobBody }> {
  const states: string[] = [];
  for (;;) {
    const reply = await azure.call('GET', `${workspaceId}/jobs/${name}?api-version=2022-10-01`);
    const body = reply.body as JobBody;
    const { status } = body.properties;
    if (states.at(-1) !== status) states.push(status);
    if (['Completed', 'Failed', 'Canceled'].includes(status)) return { states, body };
    await delay(10);
  }
}

async function text(from: ContainerClient, name: string): Promise<string> {
  return (await from.getBlobClient(name).downloadToBuffer()).toString();
}

describe('a command job', () => {
  it.each([
    ['a folder of a datastore', { jobInputType: 'uri_folder', uri: `${datastore}/in` }],
    ['a registered model', { jobInputType: 'custom_model', uri: 'azureml:words:1' }],
  ])('runs with %s as input, and uploads its output and log', async (_case, input) => {
    const name = `run-${input.jobInputType.replaceAll('_', '-')}`;
    const submitted = await submit(
      name,
      'python program/shout.py ${{inputs.words}} ${{outputs.loud}} ${{inputs.greeting}}',
      {
        codeId: `${workspaceId}/codes/shout/versions/1`,
        inputs: { words: input, greeting: { jobInputType: 'literal', value: 'ahoy' } },
        outputs: { loud: { jobOutputType: 'uri_folder', uri: `${datastore}/out/${name}` } },
      },
    );
    expect(submitted).toMatchObject({ status: 201, body: { properties: { status: 'Starting' } } });
    const { states, body } = await finished(name);
    expect(body.properties.error).toBeUndefined();
    expect(states.at(-1)).toBe('Completed');
    expect(await text(container, `out/${name}/deep/upper.txt`)).toBe('TO THE WATER');
    const log = await text(blobs.getContainerClient('azureml'), `ExperimentRun/dcid.${name}/user_logs/std_log.txt`);
    expect(log).toBe('wrote ahoy\n');
  });

  it('builds its environment as a state of its own, once', async () => {
    await machineLearning.environmentVersions.createOrUpdate(...workspace, 'fresh', '1', {
      properties: { image: 'mcr.example/base@sha256:0', condaFile: 'dependencies:\n- pip:\n  - "# nothing"\n' },
    });
    const environmentId = 'azureml:fresh:1';
    await submit('builds', 'true', { environmentId });
    expect((await finished('builds')).states).toEqual(expect.arrayContaining(['Preparing', 'Completed']));
    const built = readdirSync(join(azure.state, 'cache', 'python-environments'));
    await submit('reuses', 'true', { environmentId });
    expect((await finished('reuses')).states.at(-1)).toBe('Completed');
    expect(readdirSync(join(azure.state, 'cache', 'python-environments'))).toEqual(built);
    const log = await text(
      blobs.getContainerClient('azureml'),
      'ExperimentRun/dcid.builds/azureml-logs/20_image_build_log.txt',
    );
    expect(log).toContain('-m venv');
  });

  it('sees nothing of the surroundings of the emulator', async () => {
    await submit('bare', 'env; pwd; python -c "import sys; print(sys.path)"', {
      environmentVariables: { ASKED: 'yes' },
    });
    await finished('bare');
    const log = await text(blobs.getContainerClient('azureml'), 'ExperimentRun/dcid.bare/user_logs/std_log.txt');
    expect(log).toContain('ASKED=yes');
    expect(log).not.toContain(process.cwd());
    expect(log).not.toContain('NODE');
  });

  it('runs on a named compute, and refuses one that is not there', async () => {
    const computes = [];
    for await (const each of machineLearning.computeOperations.list(...workspace)) computes.push(each.name);
    expect(computes).toEqual(['cpu-cluster']);
    await submit('on-cluster', 'true', { computeId: `${workspaceId}/computes/cpu-cluster` });
    expect((await finished('on-cluster')).states.at(-1)).toBe('Completed');
    const refused = await submit('nowhere', 'true', { computeId: `${workspaceId}/computes/absent` });
    expect(refused).toMatchObject({ status: 400, body: { error: { code: 'UserError' } } });
  });

  it('is the same job when it is asked for again, and another one is refused its name', async () => {
    const before = (await azure.journal()).length;
    await submit('twice', 'true');
    await submit('twice', 'true');
    expect(await submit('twice', 'false')).toMatchObject({ status: 409 });
    const effects = (await azure.journal()).slice(before).flatMap(({ effect }) => effect?.change ?? []);
    expect(effects).toEqual(['created', 'unchanged']);
    expect((await finished('twice')).states.at(-1)).toBe('Completed');
  });
});

describe('a job that fails', () => {
  it('carries the status of the command and the end of its log', async () => {
    await submit('fails', 'echo "slipway: error=NoSuchInput" >&2; exit 2');
    const { body } = await finished('fails');
    expect(body.properties).toMatchObject({ status: 'Failed', error: { code: 'UserError' } });
    expect(body.properties.error?.message).toMatch(/exited with status code 2.*slipway: error=NoSuchInput/s);
  });

  it.each([
    [
      'an input that is not there',
      'true',
      { inputs: { x: { jobInputType: 'uri_folder', uri: `${datastore}/no` } } },
      /no/,
    ],
    ['a name that the job does not have', 'echo ${{inputs.ghost}}', {}, /inputs\.ghost/],
    ['an environment that cannot be built', 'true', { environmentId: 'azureml:conda:1' }, /scipy.*not emulated/],
    ['a time limit', 'sleep 60', { limits: { jobLimitsType: 'Command', timeout: 'PT1S' } }, /limit PT1S/],
  ])('says that it is for %s', async (why, command, more, message) => {
    await machineLearning.environmentVersions.createOrUpdate(...workspace, 'conda', '1', {
      properties: { image: 'mcr.example/base@sha256:0', condaFile: 'dependencies: [python, scipy]' },
    });
    const name = why.replaceAll(' ', '-');
    await submit(name, command, more);
    const { body } = await finished(name);
    expect(body.properties).toMatchObject({
      status: 'Failed',
      error: { message: expect.stringMatching(message) as string },
    });
  });

  it('fails as an injected fault of its operation says', async () => {
    await azure.inject({
      name: 'preempted',
      match: { method: 'PUT', path: '/jobs/unlucky$' },
      when: 'operation',
      then: { code: 'ComputePreempted', message: 'The node was taken away.' },
    });
    await submit('unlucky', 'true');
    const { body } = await finished('unlucky');
    expect(body.properties).toMatchObject({ status: 'Failed', error: { code: 'ComputePreempted' } });
  });
});

describe('cancelling and deleting', () => {
  it('ends the whole process group of the command', async () => {
    await submit('long', 'sleep 300 & echo started; wait');
    const log = blobs.getContainerClient('azureml').getBlobClient('ExperimentRun/dcid.long/user_logs/std_log.txt');
    while (!(await log.exists())) await delay(50);
    await expect(machineLearning.jobs.beginDelete(...workspace, 'long')).rejects.toMatchObject({ statusCode: 409 });
    await machineLearning.jobs.beginCancelAndWait(...workspace, 'long');
    expect((await finished('long')).body.properties.status).toBe('Canceled');
    await machineLearning.jobs.beginDeleteAndWait(...workspace, 'long');
    await expect(machineLearning.jobs.get(...workspace, 'long')).rejects.toMatchObject({ statusCode: 404 });
  });

  it('ends a job that is stuck in the queue', async () => {
    await azure.inject({ name: 'stuck', match: { path: '/jobs/waits$' }, when: 'operation', then: { stuck: true } });
    await submit('waits', 'true');
    const status = async () => (await machineLearning.jobs.get(...workspace, 'waits')).properties.status;
    await expect.poll(status, { timeout: 30_000 }).toBe('Queued');
    await azure.advance(600);
    expect(await status()).toBe('Queued');
    await machineLearning.jobs.beginCancelAndWait(...workspace, 'waits');
    expect((await finished('waits')).body.properties.status).toBe('Canceled');
  });
});
