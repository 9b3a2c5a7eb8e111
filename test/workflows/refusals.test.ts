import type { Client } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireNoOtherChange, startChange } from '../../src/client/changes.js';
import { ChangeRunning, type DeploymentHandle, type Snapshot } from '../../src/client.js';
import { missingWorker } from '../../src/client/task-queue.js';
import { connectToTemporal, requireNamespace } from '../../src/client/temporal.js';
import { identify } from '../../src/deployment/identity.js';
import { TASK_QUEUE } from '../../src/deployment/temporal.js';
import { temporalBinary } from '../fixtures/temporal-binaries.js';
import { deployInput } from '../fixtures/workflows/inputs.js';

/** How long Temporal holds a poll. */
const LONG_POLL_MS = 60_000;

let temporal: TestWorkflowEnvironment;
beforeAll(async () => {
  const executable = { type: 'existing-path', path: temporalBinary('temporal') } as const;
  temporal = await TestWorkflowEnvironment.createLocal({ server: { executable } });
});
afterAll(() => temporal?.teardown());

const identityOf = (service: string, deploymentId?: string) =>
  identify({ subscriptionId: 's', resourceGroup: 'g', workspaceName: 'w', service }, deploymentId);

const start = (service: string, deploymentId?: string): Promise<DeploymentHandle> =>
  startChange(temporal.client, 'deploy', deployInput({ identity: identityOf(service, deploymentId) }), 'a test');

async function firstLook(handle: DeploymentHandle): Promise<Snapshot> {
  for await (const look of handle.watch()) return look;
  return expect.fail('there was no look');
}

/** Polls as a worker does, without doing what it is given, until the work is over. */
async function whilePolled<T>({ connection, options }: Client, work: () => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const taskQueue = { name: TASK_QUEUE };
  const poll = () =>
    connection.workflowService.pollWorkflowTaskQueue({ namespace: options.namespace, taskQueue, identity: 'a test' });
  const polling = connection.withAbortSignal(stop.signal, () =>
    connection.withDeadline(Date.now() + LONG_POLL_MS, poll),
  );
  const ended = polling.catch(() => undefined);
  try {
    return await work();
  } finally {
    stop.abort();
    await ended;
  }
}

describe('a change that no worker takes up', () => {
  it('says which queue nobody polls, and how to start a worker', async () => {
    const look = await firstLook(await start('unattended'));
    expect(look).toMatchObject({ open: true, workerAbsent: true });
    expect(look.noWorker).toMatch(/^no worker polls task queue slipway in namespace default; .* `slipway worker`$/);
  });

  it('says nothing of the kind once a worker polls', async () => {
    await whilePolled(temporal.client, async () => {
      await expect.poll(() => missingWorker(temporal.client), { timeout: 10_000 }).toBeUndefined();
    });
  });
});

describe('a service that is being changed', () => {
  it('refuses another change, before and when it is started', async () => {
    const { workflowId } = await start('busy', 'd00000000001');
    const changes = [() => start('busy'), () => requireNoOtherChange(temporal.client, identityOf('busy'))];
    for (const change of changes) {
      const error: unknown = await change().catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(ChangeRunning);
      expect(error).toMatchObject({
        code: 'ChangeRunning',
        message: expect.stringContaining(workflowId) as string,
        fix: expect.stringMatching(/slipway watch busy.*slipway cancel busy/) as string,
      });
    }
  });

  it('takes a repeated start of the same deployment for that deployment', async () => {
    const first = await start('again', 'd00000000002');
    await expect(requireNoOtherChange(temporal.client, identityOf('again', first.id))).resolves.toBeUndefined();
    expect(await start('again', first.id)).toMatchObject({ runId: first.runId, id: first.id });
  });

  it('lets a change through when none runs', async () => {
    await expect(requireNoOtherChange(temporal.client, identityOf('idle'))).resolves.toBeUndefined();
  });
});

describe('a namespace that the server lacks', () => {
  it.each([
    ['a client', () => connectToTemporal({ TEMPORAL_ADDRESS: temporal.address, TEMPORAL_NAMESPACE: 'yard' })],
    ['a worker', () => requireNamespace(temporal.nativeConnection, 'yard', temporal.address)],
  ])('is told to %s with the command that creates it', async (_whom, use) => {
    await expect(use()).rejects.toMatchObject({
      code: 'NamespaceNotFound',
      fix: expect.stringContaining(`--address ${temporal.address} --namespace yard`) as string,
    });
  });
});
