import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { DeployResult } from '../../src/client.js';
import { photo, repository, sampleSpec, TestStack } from '../fixtures/e2e/stack.js';

const run = promisify(execFile);
const service = 'lister';
const spec = sampleSpec(service, {
  model: { ...sampleSpec(service).model, tags: { family: 'efficientnet' } },
  smoke: { photos: [{ path: photo('coffee.jpg'), expect: 967 }] },
});

let local: TestStack;
/** What the first deployment answered; the second found nothing to change. */
let result: DeployResult;
let again: DeployResult;
/** Newest number of the journal once both have ended: what follows is reading. */
let deployed: number;

beforeAll(async () => {
  local = await TestStack.start();
  result = await (await local.client.startDeployment(spec)).result();
  again = await (await local.client.startDeployment(spec)).result();
  deployed = await local.azure.lastSeq();
});
afterAll(() => local?.stop());

/** Runs the command as a person does. */
async function slipway(...words: string[]): Promise<{ stdout: string; stderr: string }> {
  return run(process.execPath, [path.join(repository, 'bin/slipway.mjs'), ...words]);
}

describe('a live service', () => {
  it('is listed with its release, model, address, cluster and newest change', async () => {
    expect(await local.client.listServices()).toEqual([
      {
        service,
        state: 'live',
        release: result.image.tag,
        model: `${result.source.name}:1`,
        address: result.address,
        // Azure answers with another casing than it was asked with.
        cluster: expect.stringMatching(new RegExp(`^${result.cluster}$`, 'i')) as string,
        lastChange: expect.objectContaining({
          change: 'deploy',
          state: 'completed',
          deploymentId: again.deploymentId,
        }) as unknown,
      },
    ]);
  });

  it('has a history, newest first', async () => {
    const changes = await local.client.listHistory(service);
    expect(changes).toMatchObject([
      { deploymentId: again.deploymentId, end: 'unchanged', release: result.release, model: `${result.source.name}:1` },
      { deploymentId: result.deploymentId, change: 'deploy', end: 'deployed', release: result.release },
    ]);
    for (const { startedBy, endedAt } of changes) {
      expect(startedBy).toMatch(/^\d+@/);
      expect(endedAt).toBeInstanceOf(Date);
    }
    expect(await local.client.listHistory(service, { limit: 1 })).toHaveLength(1);
  });

  it('has an image, with the plain address of its build log', async () => {
    const images = await local.client.listImages();
    const { tag, digest } = result.image;
    expect(images).toEqual([
      {
        service,
        tag,
        version: `${result.source.name}:1`,
        state: 'live',
        location: expect.stringMatching(new RegExp(`^[^/]+/${result.image.repository}:${tag}$`)) as string,
        digest,
        buildLog: expect.stringMatching(/^https:\/\/[^?]+\/slipway\/build-logs\/[^?]+\.log$/) as string,
        createdAt: expect.any(Date) as Date,
        bytes: expect.any(Number) as number,
        deployments: [result.deploymentId],
      },
    ]);
    expect(await local.client.listImages({ service, tag })).toEqual(images);
    expect(await local.client.listImages({ tag: result.deploymentId })).toEqual(images);
    expect(await local.client.listImages({ tag: '000000000000' })).toEqual([]);
    expect(await local.client.listImages({ service: 'other' })).toEqual([]);
  });

  it('has models that say what was converted to what, and where they are deployed', async () => {
    const { source, converted, image } = result;
    const deployed = [{ service, release: image.tag, state: 'live' }];
    const { models, problems } = await local.client.listModels();
    expect(problems).toEqual([]);
    expect(models).toMatchObject([
      {
        name: source.name,
        role: 'source',
        service,
        versions: [
          {
            version: '1',
            digest: source.digest,
            tags: { family: 'efficientnet' },
            properties: {},
            converted: [`${converted.name}:1`],
            deployed,
          },
        ],
      },
      {
        name: converted.name,
        role: 'converted',
        service,
        versions: [{ version: '1', digest: converted.digest, source: `${source.name}:1`, converted: [], deployed }],
      },
    ]);
    expect(await local.client.getModel(converted.name)).toEqual(models[1]);
    await expect(local.client.getModel('nothing')).rejects.toMatchObject({ code: 'ModelNotFound' });
  });
});

describe('the logs of a service', () => {
  it('have what its conversion printed, and whose job that was', async () => {
    const own = await local.client.readConversionLog(service, { deploymentId: result.deploymentId });
    expect(own.job).toContain(result.deploymentId);
    expect(own.text).toContain('slipway: phase=');
    expect(own).not.toHaveProperty('reused');

    const reused = await local.client.readConversionLog(service);
    expect(reused).toEqual({ ...own, deploymentId: again.deploymentId, reused: result.converted.url });
  });

  it('have how its image was built, once', async () => {
    const log = await local.client.readImageLog(service);
    expect(log.image).toBe(result.image.digest);
    expect(log.text).toContain(`${result.image.repository}@${result.image.digest}`);
    expect(log.text).toContain(`deployment ${result.deploymentId}`);
    expect(log.text).toMatch(/^layer model +sha256:[0-9a-f]{64}, \d+ bytes, sent$/m);
    expect(await local.client.readImageLog(service, { release: result.release })).toEqual(log);
    const written = (await local.azure.journal()).filter(({ effect }) => effect?.id.includes('/build-logs/'));
    expect(written.map(({ effect }) => effect?.change)).toEqual(['created']);
  });

  it('have what its pods printed', async () => {
    const { release, pods } = await local.client.readServiceLog(service);
    expect(release).toBe(result.image.tag);
    expect(pods).toEqual([
      { pod: expect.stringContaining(service) as string, text: expect.stringMatching(/\w/) as string },
    ]);
    const [last] = (await local.client.readServiceLog(service, { tail: 1 })).pods;
    expect(last?.text.trimEnd().split('\n')).toEqual(pods[0]?.text.trimEnd().split('\n').slice(-1));
  });

  it.each([
    ['of a service that nobody deployed', () => local.client.readConversionLog('nobody'), 'UnknownService'],
    [
      'of a deployment that Temporal does not keep',
      () => local.client.readConversionLog(service, { deploymentId: 'dnone' }),
      'DeploymentNotFound',
    ],
    [
      'of a release that there is not',
      () => local.client.readImageLog(service, { release: '000000000000' }),
      'ReleaseNotFound',
    ],
    ['of a service that is not live', () => local.client.readServiceLog('nobody'), 'NotLive'],
    [
      'of containers that were never restarted',
      () => local.client.readServiceLog(service, { previous: true }),
      'NoPodLog',
    ],
    ['of the changes of a service that nobody deployed', () => local.client.listHistory('nobody'), 'UnknownService'],
  ])('are refused when they are %s', async (_case, read, code) => {
    await expect(read()).rejects.toMatchObject({ code });
  });
});

describe('the command', () => {
  it.each([
    ['list', () => ({ service, state: 'live' })],
    ['models', () => ({ name: result.source.name })],
  ])('%s --json prints one JSON document, and nothing else', async (command, expected) => {
    const { stdout, stderr } = await slipway(command, '--json');
    expect(z.array(z.looseObject({})).parse(JSON.parse(stdout))[0]).toMatchObject(expected());
    expect(stderr).toBe('');
  });

  it('prints what was asked for on stdout, and what is said about it on stderr', async () => {
    const [images, log] = await Promise.all([slipway('images'), slipway('logs', 'convert', service)]);
    expect(images.stdout).toMatch(/^SERVICE .*\n.*lister .* live .*\n +location +.*\n +build log +https:/);
    expect(images.stderr).toBe('');
    expect(log.stdout).toContain('slipway: phase=');
    expect(log.stderr).toContain(`used the result of Azure ML job slipway-${result.deploymentId}`);
  });

  it('changes nothing in Azure', async () => {
    const effects = (await local.azure.journal(deployed)).flatMap(({ effect }) => effect ?? []);
    expect(effects).toEqual([]);
  });
});

describe('a deleted service', () => {
  beforeAll(async () => {
    await (await local.client.startTeardown(service)).result();
  });

  it('is remembered, with how it ended', async () => {
    expect(await local.client.listServices()).toMatchObject([{ service, state: 'deleted' }]);
    expect(await local.client.listHistory(service, { limit: 1 })).toMatchObject([
      { change: 'teardown', end: 'deleted' },
    ]);
  });

  it('has no images and no models, and nothing of it is live', async () => {
    expect(await local.client.listImages()).toEqual([]);
    expect(await local.client.listModels()).toEqual({ models: [], problems: [] });
    await expect(local.client.readImageLog(service)).rejects.toMatchObject({ code: 'NotLive' });
  });

  it('has the log of its conversion, whose job is gone', async () => {
    const { job, text } = await local.client.readConversionLog(service, { deploymentId: result.deploymentId });
    expect(job).toContain(result.deploymentId);
    expect(text).toContain('slipway: phase=');
    await expect(local.client.readConversionLog(service)).rejects.toMatchObject({ code: 'NoConversionLog' });
  });
});
