import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeploymentHandle } from '../../src/client.js';
import { RANK, STEPS } from '../../src/deployment/steps.js';
import { findChromium, HOW_TO_INSTALL, startBrowser } from '../fixtures/browser/chromium.js';
import { TemporalPages } from '../fixtures/browser/temporal-pages.js';
import { photo, PHOTOS, sampleSpec, TestStack } from '../fixtures/e2e/stack.js';

const program = findChromium();

/** The cat is said to be an espresso: the smoke step refuses whatever answers. The photos are those of the others. */
const WRONG_EXPECTATION = { smoke: { photos: PHOTOS.map(({ name }) => ({ path: photo(name), expect: 967 })) } };

/** Makes a cluster take for ever, an image be refused, and a registered model stay whatever asks for its removal. */
async function injectFaults({ azure, client }: TestStack): Promise<void> {
  await azure.inject({
    name: 'the cluster of roses takes for ever',
    match: { service: 'arm', method: 'PUT', path: '/managedClusters/slipway-roses$' },
    when: 'operation',
    then: { stuck: true },
  });
  await azure.inject({
    name: 'the image of orchids is refused',
    match: { service: 'registry', method: 'PUT', path: `${client.identify('orchids').uid}/manifests/` },
    when: 'before',
    then: { status: 400, code: 'MANIFEST_INVALID', message: 'The manifest is refused.' },
  });
  await azure.inject({
    name: 'the model of orchids stays',
    match: { service: 'arm', method: 'DELETE', path: '/models/orchids/versions/' },
    times: 0,
    when: 'before',
    then: {
      status: 403,
      code: 'RequestDisallowedByPolicy',
      message: "Deleting is disallowed by policy 'keep-models'.",
    },
  });
}

/** A picture of each state that a deployment can be in: it runs, is finished, undone, or has left something. */
async function deployAll(local: TestStack) {
  const start = (service: string, overrides = {}) => local.client.startDeployment(sampleSpec(service, overrides));
  await injectFaults(local);
  const finished = await start('tulips');
  // The others find its conversion done.
  for await (const { progress } of finished.watch()) {
    if (progress?.steps.some(({ name, state }) => name === 'convert' && state === 'done')) break;
  }
  const [running, undone, residue] = await Promise.all([
    start('roses'),
    start('lilies', WRONG_EXPECTATION),
    start('orchids'),
  ]);
  await finished.result();
  await Promise.all([undone, residue].map((handle) => expect(handle.result(), handle.service).rejects.toThrow()));
  for await (const { waits } of running.watch()) {
    if (waits.length === 1 && waits[0]?.message?.includes('Creating')) break;
  }
  return { running, finished, undone, residue };
}

if (!program) console.warn(`\n⚠ Temporal's UI is NOT looked at: there is no Chromium (${HOW_TO_INSTALL})\n`);

describe.skipIf(!program)('Temporal’s UI shows a person', () => {
  let local: TestStack;
  let browser: Browser;
  let pages: TemporalPages;
  let deployments: Record<'running' | 'finished' | 'undone' | 'residue', DeploymentHandle>;

  beforeAll(async () => {
    local = await TestStack.start();
    deployments = await deployAll(local);
    browser = await startBrowser(program ?? '');
    pages = await TemporalPages.open(browser, local.stack.temporal.ui ?? '');
  });
  afterAll(async () => {
    await browser?.close();
    await local?.stop();
  });

  it('which services there are, and those that run, failed or left something', async () => {
    const listed = async () => (await pages.text()).match(/(?<=\/slipway\/)(roses|tulips|lilies|orchids)\b/g) ?? [];
    const all: [query: string | undefined, services: string[]][] = [
      [undefined, ['lilies', 'orchids', 'roses', 'tulips']],
      ['SlipwayState = "running"', ['roses']],
      ['SlipwayState = "failed" AND SlipwayStep = "smoke"', ['lilies']],
      ['SlipwayResidue = true', ['orchids']],
    ];
    for (const [query, services] of all) {
      await pages.showList(query);
      await expect.poll(async () => [...new Set(await listed())].sort(), { timeout: 30_000 }).toEqual(services);
      if (query === undefined) await pages.keep('list');
    }
  });

  it('of a deployment that runs: its step, and the state of what it waits for', async () => {
    await pages.showChange(deployments.running);
    await pages.sees('RUNNING', 'awaitCluster • Wait for the AKS cluster');
    await pages.keep('running-timeline');
    await pages.turnTo('Pending Activities');
    await pages.sees(/AKS cluster slipway-roses is Creating, \d+/);
    expect(await pages.text()).not.toContain('Stack Trace');
    await pages.keep('running-pending');
    await pages.turnTo('User Metadata');
    await pages.sees('Deploy roses to slipway, eastus', '✓ image done', '▶ cluster running', '· smoke');
    await pages.keep('running');
    await pages.turnTo('Search Attributes');
    await pages.sees('"SlipwayService": "roses"', '"SlipwayStep": "cluster"', '"SlipwayState": "running"');
  });

  it('of one that is finished: where it answers, and what each step made', async () => {
    await pages.showChange(deployments.finished);
    const { address } = await deployments.finished.result();
    await pages.sees('COMPLETED', `"address": "${address}"`);
    await pages.turnTo('User Metadata');
    await pages.sees('deployed', ...STEPS.map((step) => `✓ ${step} done in`), '3 photos agree with the SavedModel');
    await pages.keep('finished');
  });

  it('of one that was undone: at which step, why, and everything that was removed', async () => {
    await pages.showChange(deployments.undone);
    await pages.sees('FAILED', 'ExpectedClassMissing: chelsea.jpg: class 967', `Undone: ${RANK.join(', ')}.`);
    await pages.sees('removeCluster • Delete the AKS cluster');
    await pages.turnTo('User Metadata');
    await pages.sees('failed: ExpectedClassMissing', '✗ smoke failed', ...RANK.map((kind) => `✓ ${kind} removed`));
    await pages.keep('undone');
  });

  it('of one that left something: what, and why it could not be removed', async () => {
    await pages.showChange(deployments.residue);
    await pages.sees('FAILED', 'MANIFEST_INVALID', 'Not undone: registered-model orchids');
    await pages.turnTo('User Metadata');
    const reason = /RequestDisallowedByPolicy: Deleting is disallowed by policy .keep-models/;
    await pages.sees('✗ image failed', '✗ registered-model residue', 'Left behind', reason, '✓ cluster removed');
    await pages.keep('residue');
    await pages.turnTo('Search Attributes');
    await pages.sees('"SlipwayResidue": true');
  });
});
