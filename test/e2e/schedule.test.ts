import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openBlobStore } from '../../src/azure/blobs.js';
import { connectToAzure, type AzureConnection } from '../../src/azure/connection.js';
import { readTree, uploadModel } from '../../src/azure/uploads.js';
import { getWorkspace, inWorkspace } from '../../src/azure/workspace.js';
import { main } from '../../src/cli/main.js';
import { home } from '../../src/cli/local/home.js';
import { stackEnvironment } from '../../src/cli/local/stack.js';
import type { DeployResult, Schedule, ScheduledRun } from '../../src/client.js';
import { connectToTemporal } from '../../src/client/temporal.js';
import { photo, sampleSpec, TestStack } from '../fixtures/e2e/stack.js';

const SERVICE = 'nightly';
/** Never in the time of a test. */
const NIGHTLY = { cron: '0 3 1 1 *', timezone: 'Europe/Berlin' };
const LOOK_MS = 200;
const TIMEOUT_MS = 30_000;

let local: TestStack;
let azure: AzureConnection;
let first: DeployResult;
beforeAll(async () => {
  local = await TestStack.start();
  azure = connectToAzure({ ...process.env, ...stackEnvironment(local.stack.temporal, local.stack.azure) });
  first = await (await local.client.startDeployment(sampleSpec(SERVICE))).result();
});
afterAll(() => local?.stop());

/** Looks at the schedule, as a person would, until it is as wanted. */
async function until(wanted: (schedule: Schedule) => boolean): Promise<Schedule> {
  for (;;) {
    const schedule = (await local.client.schedules.list()).find(({ service }) => service === SERVICE);
    if (schedule && wanted(schedule)) return schedule;
    await delay(LOOK_MS);
  }
}

/** Redeploys now, and waits for the end. */
async function redeploy(): Promise<ScheduledRun> {
  const { runs } = await local.client.schedules.get(SERVICE);
  await local.client.schedules.trigger(SERVICE);
  const { lastRun } = await until((now) => now.runs > runs && now.lastRun?.endedAt !== undefined);
  if (!lastRun) throw new Error('it has no run');
  return lastRun;
}

/** Registers a new version of the service's model, as something else than Slipway does: without its marks. */
async function register(version: string, fill: (directory: string) => Promise<void>): Promise<void> {
  const identity = local.client.identify(SERVICE);
  const directory = await mkdtemp(path.join(tmpdir(), 'slipway-version-'));
  try {
    await fill(directory);
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const store = await openBlobStore(azure, await getWorkspace(azure, identity, signal), signal);
    const { path: blobs } = await uploadModel(store, await readTree(directory));
    const { client, place } = inWorkspace(azure, identity);
    const properties = { modelUri: store.uri(blobs), modelType: 'custom_model' };
    await client.modelVersions.createOrUpdate(...place, SERVICE, version, { properties });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function scores(): Promise<number | undefined> {
  const [score] = await local.client.score(SERVICE, [photo('coffee.jpg')]);
  return score?.classes?.[0]?.index;
}

it.each([
  { service: SERVICE, times: { cron: 'every night' }, code: 'InvalidSchedule' },
  { service: SERVICE, times: { cron: '0 25 * * *' }, code: 'InvalidSchedule' },
  { service: SERVICE, times: { cron: '0 3 * * *', timezone: 'Europe/Atlantis' }, code: 'InvalidSchedule' },
  { service: 'unheard-of', times: NIGHTLY, code: 'NotLive' },
])('is refused for $service at $times: $code', async ({ service, times, code }) => {
  const refusal = local.client.schedules.create(service, times);
  await expect(refusal).rejects.toMatchObject({ code, fix: expect.any(String) as string });
});

it('is created, listed and given other times', async () => {
  expect(await local.client.schedules.create(SERVICE, { cron: '@daily' })).toMatchObject({ timezone: 'UTC', runs: 0 });
  const changed = await local.client.schedules.create(SERVICE, NIGHTLY);
  expect(changed).toMatchObject({ service: SERVICE, ...NIGHTLY, paused: false, runs: 0, skipped: 0, missed: 0 });
  expect(changed.nextRun?.toISOString()).toMatch(/-01-01T02:00:00.000Z$/);
  expect(await until(() => true)).toEqual(changed);
});

it('changes nothing when the model has no new version', async () => {
  const before = await local.azure.lastSeq();
  const run = await redeploy();
  expect(run).toMatchObject({ outcome: 'unchanged', detail: `${SERVICE}:${first.source.version}` });
  const effects = (await local.azure.journal(before)).flatMap(({ effect }) => effect ?? []);
  expect(effects.filter(({ change }) => change !== 'unchanged')).toEqual([]);

  const temporal = await connectToTemporal({
    ...process.env,
    ...stackEnvironment(local.stack.temporal, local.stack.azure),
  });
  const { searchAttributes } = await temporal.workflow.getHandle(run.workflowId, run.runId).describe();
  await temporal.connection.close();
  expect(searchAttributes).toMatchObject({ SlipwayService: [SERVICE], SlipwayState: ['unchanged'] });
});

it('deploys a new version of the model, and keeps both', async () => {
  await register('2', async (directory) => {
    await cp(home('models', 'efficientnet-lite0'), directory, { recursive: true });
    await writeFile(path.join(directory, 'fingerprint.txt'), 'trained again');
  });
  const run = await redeploy();
  expect(run).toMatchObject({ outcome: 'deployed', detail: `${SERVICE}:2` });
  expect(await scores()).toBe(967);
});

it('fails with the old release kept, and pauses with the reason', async () => {
  await register('3', (directory) => writeFile(path.join(directory, 'saved_model.pb'), 'no graph at all'));
  const run = await redeploy();
  expect(run).toMatchObject({ outcome: 'failed', detail: expect.stringMatching(/^old release kept: \w+: /) as string });
  const schedule = await until(({ paused }) => paused);
  expect(schedule.note).toContain('old release kept');
  expect(schedule.nextRun).toBeUndefined();
  expect(await scores()).toBe(967);
});

it('is listed with why it is paused, and goes on when it is resumed', async () => {
  const print = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  expect(await main(['schedule', 'resume', SERVICE])).toBe(0);
  expect(await main(['schedule', 'pause', SERVICE, '--reason', 'the new model is broken'])).toBe(0);
  const lines = stripVTControlCharacters(print.mock.calls.map(([chunk]) => String(chunk)).join(''));
  print.mockRestore();
  expect(lines).toMatch(/^ {2}paused: the new model is broken$/m);
  expect(lines).toMatch(/^ {2}last {2}\S+ {2}✗ failed, old release kept: /m);
  await local.client.schedules.resume(SERVICE);
  expect(await local.client.schedules.get(SERVICE)).toMatchObject({ paused: false });
});

it('is skipped while a change is running', async () => {
  // Holds the deployment at its register step.
  await local.azure.inject({
    name: 'slow',
    match: { method: 'GET', path: '/models$' },
    when: 'before',
    then: { delayMs: 5_000 },
  });
  const handle = await local.client.startDeployment(sampleSpec(SERVICE));
  const run = await redeploy();
  expect(run).toMatchObject({ outcome: 'skipped', detail: 'a change is running' });
  await handle.cancel();
  await expect(handle.result()).rejects.toMatchObject({ code: 'Cancelled' });
  await local.azure.clearFaults();
});

it('ends with its service, or when it is deleted', async () => {
  const { schedules } = local.client;
  await schedules.delete(SERVICE);
  await expect(schedules.trigger(SERVICE)).rejects.toMatchObject({ code: 'NoSchedule' });
  await schedules.create(SERVICE, NIGHTLY);
  await (await local.client.startTeardown(SERVICE, { withCluster: true })).result();
  await expect(schedules.get(SERVICE)).rejects.toMatchObject({ code: 'NoSchedule' });
  await expect(schedules.create(SERVICE, NIGHTLY)).rejects.toMatchObject({ code: 'NotLive' });
});
