import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { DeployResult, ServiceKeys } from '../../src/client.js';
import { home } from '../../src/cli/local/home.js';
import { stackEnvironment } from '../../src/cli/local/stack.js';
import { connectToTemporal } from '../../src/client/temporal.js';
import { photo, PHOTOS, repository, sampleSpec, TestStack } from '../fixtures/e2e/stack.js';
import { agreeing, callFromPython } from '../fixtures/serving-client.js';

const run = promisify(execFile);
const service = 'keyed';
const coffee = photo('coffee.jpg');
const spec = sampleSpec(service, { smoke: { photos: [{ path: coffee, expect: 967 }] } });
/** The server looks at its keys every 2 s. */
const TAKEN_UP = { timeout: 20_000, interval: 500 };

let local: TestStack;
let result: DeployResult;
/** As the first deployment made them. */
let first: ServiceKeys;
let rotated: ServiceKeys;

beforeAll(async () => {
  local = await TestStack.start();
  result = await (await local.client.startDeployment(spec)).result();
  first = await local.client.showKeys(service);
});
afterAll(() => local?.stop());

const scoreWith = (key: string) =>
  local.client.score(service, [coffee], { address: result.address, model: result.source.name, key });
const accepted = (key: string) => vi.waitFor(() => scoreWith(key), TAKEN_UP);
const refused = (key: string) =>
  vi.waitFor(() => expect(scoreWith(key)).rejects.toMatchObject({ code: 'KeyRefused' }), TAKEN_UP);

/** Scores over REST, from outside of the cluster. */
async function restStatus(key: string): Promise<number> {
  const { hostname } = new URL(`grpc://${result.address}`);
  const body = JSON.stringify({ instances: [{ b64: readFileSync(coffee, 'base64') }] });
  const url = `http://${hostname}:8501/v1/models/${result.source.name}:predict`;
  return (await fetch(url, { method: 'POST', body, headers: { authorization: `Bearer ${key}` } })).status;
}

/** All that Temporal keeps, with its payloads as text. */
async function histories(): Promise<string> {
  const client = await connectToTemporal({
    ...process.env,
    ...stackEnvironment(local.stack.temporal, local.stack.azure),
  });
  const texts: string[] = [];
  for await (const { workflowId, runId } of client.workflow.list()) {
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    const payload = (_: string, data: string) => Buffer.from(data, 'base64').toString('utf8');
    texts.push(JSON.stringify(history).replaceAll(/"data":"([\w+/=]+)"/g, payload));
  }
  await client.connection.close();
  return texts.join('\n');
}

describe('the keys of a service', () => {
  it('are two, and either opens it', async () => {
    expect(first.primary).not.toBe(first.secondary);
    await scoreWith(first.primary);
    await scoreWith(first.secondary);
    await refused('another');
  });

  it('open it for TensorFlow Serving’s own Python stubs, which get what TensorFlow answers', async () => {
    const { expected, predicted } = await callFromPython({
      address: result.address,
      key: first.secondary,
      model: result.source.name,
      photos: PHOTOS.map(({ name }) => photo(name)),
      savedModel: home('models', 'efficientnet-lite0'),
    });
    expect(predicted).toEqual(agreeing(expected));
  });

  it('rotate without a moment in which the key in use is refused', async () => {
    expect(await local.client.rotateKeys(service)).toEqual({ service, rotated: 'primary' });
    // At once, by whichever key the pods know already.
    expect(await local.client.score(service, [coffee])).toHaveLength(1);
    rotated = await local.client.showKeys(service);
    expect(rotated.secondary).toBe(first.primary);
    await scoreWith(first.primary);
    await accepted(rotated.primary);
    await scoreWith(first.primary);
    await refused(first.secondary);
  });

  it('can be replaced one by one: a new secondary key takes the old one away', async () => {
    await local.client.rotateKeys(service, 'secondary');
    const { primary, secondary } = await local.client.showKeys(service);
    expect(primary).toBe(rotated.primary);
    await accepted(secondary);
    await refused(first.primary);
    await scoreWith(primary);
    rotated = { service, primary, secondary };
  });

  it('leave the release as it is: the same deployment changes nothing', async () => {
    const again = await (await local.client.startDeployment(spec)).result();
    expect(again).toMatchObject({ outcome: 'unchanged', release: result.release });
    expect(await local.client.showKeys(service)).toEqual(rotated);
  });

  it('are those of the next release too, over REST as well where that is published', async () => {
    await expect(restStatus(rotated.primary)).rejects.toThrow();
    const scoring = { memory: '2Gi', connectionAgeSeconds: 5, rest: true };
    const next = await (await local.client.startDeployment({ ...spec, scoring })).result();
    expect(next.release).not.toBe(result.release);
    expect(await local.client.showKeys(service)).toEqual(rotated);
    await scoreWith(rotated.primary);
    await scoreWith(rotated.secondary);
    expect(await restStatus(rotated.primary)).toBe(200);
    expect(await restStatus('another')).toBe(401);
  });

  it('are printed by `slipway keys show`, and by nothing else', async () => {
    const slipway = (...words: string[]) => run(process.execPath, [path.join(repository, 'bin/slipway.mjs'), ...words]);
    const shown = await slipway('keys', 'show', service, '--json');
    expect(JSON.parse(shown.stdout)).toEqual(rotated);
    const { stdout, stderr } = await slipway('keys', 'rotate', service, '--secondary');
    const { primary, secondary } = await local.client.showKeys(service);
    const { pods } = await local.client.readServiceLog(service);
    const told = [stdout, stderr, ...pods.map(({ text }) => text), JSON.stringify(await local.azure.journal())];
    const seen = [...told, await histories()].join('\n');
    const leaked = (text: string) => seen.includes(text);
    expect(leaked(result.image.releaseDigest)).toBe(true);
    expect([primary, secondary, first.primary, first.secondary].filter(leaked)).toEqual([]);
  });

  it('are those of a live service that asks for them', async () => {
    await expect(local.client.showKeys('nobody')).rejects.toMatchObject({ code: 'NotLive' });
    const scoring = { auth: 'none', connectionAgeSeconds: 5 } as const;
    await (await local.client.startDeployment({ ...spec, scoring })).result();
    await expect(restStatus('none')).rejects.toThrow();
    await expect(local.client.showKeys(service)).rejects.toMatchObject({ code: 'NoKeys' });
    await expect(local.client.rotateKeys(service)).rejects.toMatchObject({ code: 'NoKeys' });
  });
});
