import { readSpec, type LocatedSpec } from '../../client/spec-file.js';
import { readWorkspaceConfig } from '../../client/workspace-config.js';
import { SlipwayClient, SlipwayError, type PhotoScore } from '../../client.js';
import { ownershipMark } from '../../deployment/names.js';
import type { Step } from '../../deployment/steps.js';
import { showWorkerLog, stopStack } from '../commands/up.js';
import { EmulatorAdmin, type InventoryItem } from '../local/emulator-admin.js';
import { packaged } from '../local/home.js';
import { interruption } from '../local/interruption.js';
import { openStack, stackEnvironment, type Stack } from '../local/stack.js';
import { renderScores } from '../render/scores.js';
import type { Terminal } from '../render/terminal.js';
import { FAULTS, withWrongExpectation } from './faults.js';
import { countByKind, leftovers } from './inventory.js';
import type { DemoReport } from './report.js';
import { sampleModel } from './sample-model.js';
import { endEarlierChange, runDeployment, runTeardown } from './runs.js';

export interface DemoOptions {
  readonly keep: boolean;
  readonly failAt?: Step;
}

/** What every part of the demo works with. */
interface Setting {
  readonly client: SlipwayClient;
  readonly admin: EmulatorAdmin;
  readonly stack: Stack;
  readonly terminal: Terminal;
  readonly sample: LocatedSpec;
}

/**
 * The main job on the local Azure: deploy, score, delete, and a look at what is left.
 *
 * @param terminal receives what happens, step by step
 */
export async function demo(options: DemoOptions, terminal: Terminal): Promise<DemoReport> {
  const interrupted = interruption();
  const building = sampleModel(terminal.say);
  // It is awaited below; until then, that it failed is no unhandled rejection.
  building.catch(() => undefined);
  const stack = await openStack(terminal.say, { command: 'demo', signal: interrupted.signal });
  try {
    const report = await interrupted.race(play(options, stack, building, terminal));
    if (options.keep) await untilCtrlC(stack, terminal, interrupted.signal);
    return report;
  } finally {
    await stopStack(stack, terminal);
    interrupted.done();
  }
}

async function play(
  { keep, failAt }: DemoOptions,
  stack: Stack,
  building: Promise<string>,
  terminal: Terminal,
): Promise<DemoReport> {
  const workspace = await readWorkspaceConfig(packaged('samples', 'config.json'));
  const environment = { ...process.env, ...stackEnvironment(stack.temporal, stack.azure) };
  const client = await SlipwayClient.connect({ environment, workspace });
  try {
    const { spec, directory } = await readSpec(packaged('samples', 'deployment.yaml'));
    const sample = { spec: { ...spec, model: { ...spec.model, path: await building } }, directory };
    const setting = { client, admin: new EmulatorAdmin(stack.azure), stack, terminal, sample };
    await clearEarlier(setting);
    return failAt === undefined ? await succeed(setting, keep) : await fail(setting, failAt);
  } finally {
    await client.close();
  }
}

/** Ends what a demo that was interrupted began, and removes what it or one that was kept left, so that this one begins at the beginning. */
async function clearEarlier(setting: Setting): Promise<void> {
  const { service } = setting.sample.spec;
  // In another terminal's stack, a change that runs is that terminal's.
  if (setting.stack.ours) await endEarlierChange(setting, service);
  const { uid } = setting.client.identify(service);
  const left = (await setting.admin.inventory()).some(({ owner }) => owner?.includes(uid));
  if (!left) return;
  setting.terminal.say(`\nAn earlier demo left ${service}: it is deleted first`);
  await runTeardown(setting, service);
}

/** Deploys, scores, and unless it is to be kept deletes. */
async function succeed(setting: Setting, keep: boolean): Promise<DemoReport> {
  const { client, admin, sample } = setting;
  const { service } = sample.spec;
  const before = await admin.inventory();
  const deployed = await runDeployment(setting);
  if (deployed.failure) {
    const { steps, undone: teardown, failure } = deployed;
    return { ok: false, steps, scores: [], teardown, residue: failure.residue };
  }
  const scores = await scoreSamples(setting);
  if (keep) return { ok: true, steps: deployed.steps, scores, teardown: [], residue: [] };
  const removed = await runTeardown(setting, service);
  const clean = await showLeftovers(setting, before, client.identify(service).uid);
  return { ok: clean && removed.residue.length === 0, steps: deployed.steps, scores, ...removed };
}

/** Makes one step fail for good and shows how what was begun is undone. */
async function fail(setting: Setting, step: Step): Promise<DemoReport> {
  const { admin, terminal, sample } = setting;
  const before = await admin.inventory();
  if (step === 'smoke') {
    terminal.say('The first photo is expected to show a fish, which it does not: the smoke step will fail');
    return undone({ ...setting, sample: { ...sample, spec: withWrongExpectation(sample.spec) } }, step, before);
  }
  const fault = `fail-at-${step}`;
  terminal.say(`The local Azure will fail the step ${step}: ${FAULTS[step].then.message}`);
  await admin.inject({ name: fault, times: 0, ...FAULTS[step] });
  try {
    return await undone(setting, step, before);
  } finally {
    await admin.removeFault(fault);
  }
}

/** Runs a deployment that is to fail at `step`. */
async function undone(setting: Setting, step: Step, before: readonly InventoryItem[]): Promise<DemoReport> {
  const { failure, id, steps, undone: teardown } = await runDeployment(setting);
  if (!failure) throw new SlipwayError('DemoDidNotFail', `The deployment went through, although ${step} was to fail`);
  const mark = ownershipMark(setting.client.identify(setting.sample.spec.service, id));
  const clean = await showLeftovers(setting, before, mark);
  const failedAsAsked = steps.some(({ name, state }) => name === step && state === 'failed');
  const { residue } = failure;
  return { ok: clean && failedAsAsked && residue.length === 0, steps, scores: [], teardown, residue };
}

async function scoreSamples({ client, terminal, sample }: Setting): Promise<PhotoScore[]> {
  const { service, smoke } = sample.spec;
  const photos = smoke.photos.map(({ path }) => packaged('samples', path));
  const scores = await client.score(service, photos);
  terminal.say(`\nThe photos, scored through the public address of ${service}`);
  for (const line of renderScores(scores, terminal.colors)) terminal.say(line);
  return scores;
}

async function untilCtrlC(stack: Stack, terminal: Terminal, signal: AbortSignal): Promise<void> {
  terminal.say('\nEverything runs until Ctrl-C. `npx slipway status` in another terminal says what there is.');
  if (stack.temporal.ui) terminal.say(`Temporal: ${stack.temporal.ui}`);
  await showWorkerLog(stack, terminal, signal);
}

/** Says what the inventory holds that was not there before; nothing of ours may be left. */
async function showLeftovers(
  { admin, terminal }: Setting,
  before: readonly InventoryItem[],
  owner: string,
): Promise<boolean> {
  const { ours, cache, logs } = leftovers(before, await admin.inventory(), owner);
  const { green, red } = terminal.colors;
  terminal.say(`\nLeft in the local Azure: ${ours.length === 0 ? green('nothing') : red(countByKind(ours))}`);
  for (const { kind, id } of ours) terminal.say(red(`  ${kind} ${id}`));
  terminal.say(`Cache, named by content, for the next deployment: ${countByKind(cache)}`);
  if (logs.length > 0) terminal.say(`Logs of conversion jobs, which Azure ML keeps: ${countByKind(logs)}`);
  return ours.length === 0;
}
