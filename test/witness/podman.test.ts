import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ContainerRegistryManagementClient } from '@azure/arm-containerregistry';
import type { V1Container } from '@kubernetes/client-node';
import getPort from 'get-port';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PredictClient } from '../../src/scoring/client/predict-client.js';
import { startEmulator, type TestEmulator } from '../fixtures/emulator.js';
import { kubernetesClients } from '../fixtures/kubernetes.js';
import { LocalReleases } from '../fixtures/local-release.js';
import { installed } from '../fixtures/witnesses.js';

const REGISTRY = 'slipwaylocal';
const PHOTO = join(import.meta.dirname, '../../samples/photos/coffee.jpg');
const CONTAINER = 'pets';
/** Bounds a server that does not start. */
const READY_MS = 120_000;

let emulator: TestEmulator;
let directory: string;
beforeAll(async () => {
  [emulator, directory] = await Promise.all([startEmulator(), mkdtemp(join(tmpdir(), 'slipway-podman-'))]);
});
afterAll(async () => {
  await podman('rm', '--force', '--ignore', '--time=0', CONTAINER);
  await emulator?.stop();
  await rm(directory, { recursive: true, force: true });
});

/** Runs podman with its images and containers in the test's directory; it needs neither systemd nor a layered file system. */
async function podman(...args: string[]): Promise<void> {
  const folders = ['root', 'runroot', 'tmpdir'].map((name) => `--${name}=${join(directory, name)}`);
  const plain = ['--storage-driver=vfs', '--cgroup-manager=cgroupfs', '--events-backend=none', '--runtime=runc'];
  await promisify(execFile)('podman', [...folders, ...plain, ...args]);
}

async function pull(image: string): Promise<void> {
  const { credential, clientOptions, endpoints } = emulator;
  const { registries } = new ContainerRegistryManagementClient(credential, endpoints.subscriptionId, clientOptions);
  const { username = '', passwords } = await registries.listCredentials(endpoints.resourceGroup, REGISTRY);
  const certificates = join(directory, 'certificates');
  await mkdir(certificates);
  await copyFile(endpoints.ca, join(certificates, 'ca.crt'));
  const credentials = `--creds=${username}:${passwords?.[0]?.value ?? ''}`;
  await podman('pull', '--quiet', `--cert-dir=${certificates}`, credentials, image);
}

/** Runs what a pod runs, on this machine's network; gives its address when it is ready. */
async function run({ image = '', env = [] }: V1Container): Promise<string> {
  const [grpcPort, httpPort] = [await getPort(), await getPort()];
  const variables = [
    ...env.map(({ name, value = '' }) => `${name}=${value}`),
    ...['HOST=127.0.0.1', `GRPC_PORT=${grpcPort}`, `HTTP_PORT=${httpPort}`],
  ].map((variable) => `--env=${variable}`);
  const confined = ['--read-only', '--cap-drop=all', '--security-opt=no-new-privileges'];
  // Its defaults are more than a root without CAP_SYS_RESOURCE may ask for.
  const limits = ['--ulimit=nofile=1024:1024', '--ulimit=nproc=4096:4096'];
  await podman('run', '--detach', `--name=${CONTAINER}`, '--network=host', ...confined, ...limits, ...variables, image);
  const ready = () => fetch(`http://127.0.0.1:${httpPort}/readyz`).then(({ status }) => status, String);
  await expect.poll(ready, { timeout: READY_MS }).toBe(200);
  return `127.0.0.1:${grpcPort}`;
}

/** The bits that the server at an address answers to the photo, and the digest of its model. */
async function answer(address: string) {
  const client = PredictClient.connect({ address, model: 'pets' });
  try {
    const { outputs, modelDigest } = await client.predict({ input: 'images', images: [await readFile(PHOTO)] });
    const bits = Object.entries(outputs).map(([name, { shape, values }]) => [
      name,
      shape,
      Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64'),
    ]);
    return { bits, modelDigest };
  } finally {
    client.close();
  }
}

describe.skipIf(!installed.podman)('podman', () => {
  it('pulls a release from the registry, runs it, and gets the bits that the pod answers', async () => {
    const local = await LocalReleases.open(emulator);
    await local.provision('daaaaaaaaaaa');
    const address = await local.goLive(
      await local.release({ deploymentId: 'daaaaaaaaaaa', scoring: { auth: 'none' } }),
    );
    const { core } = await kubernetesClients(emulator, 'slipway-pets');
    const { items } = await core.listNamespacedPod({ namespace: 'default' });
    const [container] = items.flatMap(({ spec }) => spec?.containers ?? []);
    if (container === undefined) throw new Error('the release has no pod');
    await pull(container.image ?? '');
    const inPodman = await answer(await run(container));
    expect(inPodman.modelDigest).toMatch(/^sha256:/);
    expect(inPodman).toEqual(await answer(address));
  });
});
