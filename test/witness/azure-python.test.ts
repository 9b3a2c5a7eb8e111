import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blobClient, startEmulator, type TestEmulator } from '../fixtures/emulator.js';
import { AZURE_PYTHON, installed } from '../fixtures/witnesses.js';

const PROGRAMS = resolve(import.meta.dirname, 'azure');

let emulator: TestEmulator;
beforeAll(async () => {
  emulator = await startEmulator();
});
afterAll(() => emulator?.stop());

/** Runs a program of `azure/`; gives what it found. */
async function witness(program: string, ...args: string[]): Promise<unknown> {
  const { endpoints, environment } = emulator;
  const { stdout } = await promisify(execFile)(AZURE_PYTHON, [resolve(PROGRAMS, program), ...args], {
    env: {
      ...process.env,
      ...environment,
      AZURE_SUBSCRIPTION_ID: endpoints.subscriptionId,
      REQUESTS_CA_BUNDLE: endpoints.ca,
    },
  });
  return JSON.parse(stdout);
}

describe.skipIf(!installed.azureClients)("Azure's SDK for Python", () => {
  it('creates, reads, lists and deletes a cluster, and is refused what is over the quota', async () => {
    const seen = await witness('containerservice.py', emulator.endpoints.resourceGroup, 'python');
    expect(seen).toEqual({
      during: 'Creating',
      created: 'Succeeded',
      poolState: 'Succeeded',
      kubeletIdentity: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      listed: ['python'],
      pools: [['scoring', 2, 'Standard_D4s_v3']],
      kubeconfig: expect.stringContaining('clusterUser_slipway-local_python') as string,
      refused: [400, 'ErrCode_InsufficientVCPUQuota'],
      left: [],
      absent: [404, 'ResourceNotFound'],
    });
  });

  it('uploads, downloads, lists and describes blobs, and names what is not there', async () => {
    const seen = await witness('blobs.py', (await blobClient(emulator)).url);
    expect(seen).toEqual({
      same: true,
      range: 'ff00',
      size: 4096,
      contentType: 'image/jpeg',
      metadata: { origin: 'harbour' },
      listed: ['quay.txt', 'shore/photo.jpg'],
      prefixed: ['shore/photo.jpg'],
      folders: ['shore/', 'quay.txt'],
      again: [409, 'BlobAlreadyExists'],
      missing: [404, 'BlobNotFound'],
      noContainer: [404, 'ContainerNotFound'],
    });
  });
});
