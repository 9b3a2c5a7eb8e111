import { describe, expect, it } from 'vitest';
import { ensureCode, ensureEnvironment, environmentDigest } from '../../src/azure/environments.js';
import { classify } from '../../src/azure/failures.js';
import {
  deleteModelContainer,
  ensureModelContainer,
  findModelContainers,
  getModelContainer,
} from '../../src/azure/model-containers.js';
import {
  deleteModelVersion,
  describeModelVersions,
  ensureModelVersion,
  listModelVersions,
} from '../../src/azure/models.js';
import { getWorkspace } from '../../src/azure/workspace.js';
import { shortDigest } from '../../src/deployment/names.js';
import {
  EARLIER_MARK,
  FOREIGN_MARK,
  identity,
  MARK,
  recordedAzure,
  signal,
  thrownBy,
} from '../fixtures/azure-wire/place.js';
import { arm } from '../fixtures/azure-wire/recordings/arm.js';
import * as errors from '../fixtures/azure-wire/recordings/errors.js';
import * as recorded from '../fixtures/azure-wire/recordings/machine-learning.js';

const azure = recordedAzure();
const at = recorded.inWorkspace;
const CONTAINER = at('/models/boats');
const VERSIONS = `${CONTAINER}/versions`;
const DIGEST = `sha256:${'a'.repeat(64)}` as const;
const OTHER_DIGEST = `sha256:${'b'.repeat(64)}` as const;
const content = { digest: DIGEST, url: 'azureml://subscriptions/s/resourcegroups/harbour/datastores/d/paths/p' };
const notFound = recorded.mlError(404, 'Not found. Model boats was not found.');

const version = (number: string, owner: string | null, digest: string, properties: object = {}) =>
  recorded.versionBody('boats', number, {
    tags: owner === null ? {} : { 'slipway-owner': owner },
    properties: { 'slipway-digest': digest },
    ...properties,
  });
const container = (tags: object | null, properties: object = {}) =>
  recorded.containerBody('boats', { tags, latestVersion: '1', nextVersion: '2', ...properties });

describe('a workspace', () => {
  it('is read with the ids as Azure writes them', async () => {
    azure.wire.on(`GET ${at('')}`, recorded.workspaceRead());
    expect(await getWorkspace(azure.azure, identity, signal())).toMatchObject({
      id: at(''),
      name: 'slip',
      region: 'eastus',
      storageAccountId: expect.stringMatching(/\/microsoft\.storage\/storageaccounts\/slip$/) as string,
    });
    expect(azure.wire.asked[0]?.query.get('api-version')).toBe('2022-10-01');
  });

  it.each([
    ['storageAccount', 'WorkspaceWithoutStorage'],
    ['containerRegistry', 'WorkspaceWithoutRegistry'],
  ])('is refused without %s, which is null then', async (property, code) => {
    azure.wire.on(`GET ${at('')}`, recorded.workspaceRead({ [property]: null }));
    expect(await thrownBy(getWorkspace(azure.azure, identity, signal()))).toMatchObject({ code });
  });
});

describe('the versions of a model', () => {
  it('are read page by page, with what was written on them', async () => {
    const tags = { family: 'small', dropped: null };
    const next = `${VERSIONS}?$skip=1`;
    azure.wire.on(
      `GET ${VERSIONS}`,
      recorded.list([version('1', null, DIGEST, { tags, description: 'Small boats' })], next),
      recorded.list([version('2', MARK, DIGEST, { tags: null, properties: null })]),
    );
    const versions = await describeModelVersions(azure.azure, identity, 'boats', signal());
    expect(versions).toMatchObject([
      { version: '1', description: 'Small boats', tags: { family: 'small' }, properties: { 'slipway-digest': DIGEST } },
      { version: '2', description: undefined, tags: {}, properties: {} },
    ]);
    expect(versions[0]?.tags).not.toHaveProperty('dropped');
  });
});

describe('registering a model', () => {
  /** The calls of a registration, up to the PUT. */
  const before = (...present: object[]) => {
    azure.wire.on(`GET ${VERSIONS}`, recorded.list(present));
    azure.wire.on(`GET ${CONTAINER}`, arm(200, container({}, { nextVersion: String(present.length + 1) })));
  };

  it.each([201, 200] as const)('is one PUT that is no operation, read back (%i)', async (status) => {
    before();
    const written = version('1', MARK, DIGEST, { modelUri: content.url });
    azure.wire.on(`PUT ${VERSIONS}/1`, recorded.assetWritten(status, '/models/boats/versions/1', written));
    azure.wire.on(`GET ${VERSIONS}/1`, arm(200, version('1', MARK, DIGEST)));
    const made = await ensureModelVersion(azure.azure, identity, 'boats', content, signal());
    expect(made).toMatchObject({ name: 'boats', version: '1', digest: DIGEST, createdAt: '2026-09-01T10:15:00.123Z' });
    // Where the service has put it, which is not where it was put.
    expect(made.url).toMatch(/\/resourceGroups\/.*\/ServiceReplicated\//);
    expect(azure.wire.requests.slice(2)).toEqual([`PUT ${VERSIONS}/1`, `GET ${VERSIONS}/1`]);
    expect(JSON.parse(azure.wire.asked[2]?.body ?? '')).toEqual({
      properties: {
        modelUri: content.url,
        modelType: 'custom_model',
        tags: { 'slipway-owner': MARK, 'slipway-service': 'boats' },
        properties: { 'slipway-digest': DIGEST },
      },
    });
  });

  it('finds what an earlier deployment registered, wherever the service moved it', async () => {
    azure.wire.on(`GET ${VERSIONS}`, recorded.list([version('3', EARLIER_MARK, DIGEST)]));
    const made = await ensureModelVersion(azure.azure, identity, 'boats', content, signal());
    expect(made.version).toBe('3');
    expect(azure.wire.requests).toEqual([`GET ${VERSIONS}`]);
    expect(azure.wire.asked[0]?.query.get('listViewType')).toBe('All');
  });

  it.each([
    ['archived', version('1', MARK, DIGEST, { isArchived: true })],
    ["another service's", version('1', FOREIGN_MARK, DIGEST)],
    ['without a mark', version('1', null, DIGEST)],
    ['without tags', version('1', MARK, DIGEST, { tags: null })],
    ['of other content', version('1', MARK, OTHER_DIGEST)],
    ['without properties', version('1', MARK, DIGEST, { properties: null })],
  ])('takes the next number beside one that is %s', async (_case, present) => {
    before(present);
    azure.wire.on(
      `PUT ${VERSIONS}/2`,
      recorded.assetWritten(201, '/models/boats/versions/2', version('2', MARK, DIGEST)),
    );
    azure.wire.on(`GET ${VERSIONS}/2`, arm(200, version('2', MARK, DIGEST)));
    expect((await ensureModelVersion(azure.azure, identity, 'boats', content, signal())).version).toBe('2');
  });

  it.each([
    ['written by someone else in between', recorded.assetWritten(200, '', version('1', FOREIGN_MARK, OTHER_DIGEST))],
    ['refused as taken', recorded.mlError(409, 'A model with the same name and version already exists.')],
  ])('takes the next number after one that was %s', async (_case, answer) => {
    before();
    const theirs = version('1', FOREIGN_MARK, OTHER_DIGEST);
    azure.wire.on(`PUT ${VERSIONS}/1`, answer);
    if (answer.status === 200) azure.wire.on(`GET ${VERSIONS}/1`, arm(200, theirs));
    before(theirs);
    azure.wire.on(`PUT ${VERSIONS}/2`, recorded.assetWritten(201, '', version('2', MARK, DIGEST)));
    azure.wire.on(`GET ${VERSIONS}/2`, arm(200, version('2', MARK, DIGEST)));
    expect((await ensureModelVersion(azure.azure, identity, 'boats', content, signal())).version).toBe('2');
  });

  it('says what Azure ML blames', async () => {
    before();
    azure.wire.on(`PUT ${VERSIONS}/1`, recorded.mlError(400, 'The asset path is not valid.'));
    const error = await thrownBy(ensureModelVersion(azure.azure, identity, 'boats', content, signal()));
    expect(classify(error)).toMatchObject({
      code: 'UserError',
      class: 'fatal',
      message: 'The asset path is not valid.',
    });
  });

  it('lists over pages, and nothing without a container', async () => {
    azure.wire.on(`GET ${VERSIONS}`, recorded.list([version('2', MARK, DIGEST)], `${VERSIONS}/more`), notFound);
    azure.wire.on(`GET ${VERSIONS}/more`, recorded.list([version('1', null, OTHER_DIGEST)]));
    const list = () => listModelVersions(azure.azure, identity, 'boats', signal());
    expect((await list()).map(({ version, owner }) => [version, owner])).toEqual([
      ['2', MARK],
      ['1', undefined],
    ]);
    expect(await list()).toEqual([]);
  });
});

describe('deleting a model', () => {
  it.each([
    ['200', arm(200, '')],
    ['204', arm(204, '')],
    ['404', notFound],
  ])('is done after %s', async (_case, answer) => {
    azure.wire.on(`DELETE ${VERSIONS}/1`, answer);
    azure.wire.on(`DELETE ${CONTAINER}`, answer);
    await deleteModelVersion(azure.azure, identity, 'boats', '1', signal());
    await deleteModelContainer(azure.azure, identity, 'boats', signal());
    expect(azure.wire.requests).toEqual([`DELETE ${VERSIONS}/1`, `DELETE ${CONTAINER}`]);
  });
});

describe('a model container', () => {
  it.each([
    [{ a: 'b', gone: null }, '7', { tags: { a: 'b' }, nextVersion: 7 }],
    [null, null, { tags: {}, nextVersion: 1 }],
  ])('is read with tags %j and next version %j', async (tags, nextVersion, expected) => {
    azure.wire.on(`GET ${CONTAINER}`, arm(200, container(tags, { nextVersion })));
    expect(await getModelContainer(azure.azure, identity, 'boats', signal())).toEqual({ name: 'boats', ...expected });
  });

  it('is made with our mark where there is none', async () => {
    azure.wire.on(`GET ${CONTAINER}`, notFound);
    azure.wire.on(`PUT ${CONTAINER}`, recorded.assetWritten(201, '/models/boats', container({})));
    await ensureModelContainer(azure.azure, identity, { name: 'boats', role: 'source' }, signal());
    const tags = { 'slipway-owner': MARK, 'slipway-service': 'boats', 'slipway-role': 'source' };
    expect(JSON.parse(azure.wire.asked[1]?.body ?? '')).toEqual({ properties: { tags } });
  });

  it.each([
    ['another service', { 'slipway-owner': FOREIGN_MARK }],
    ['nobody', {}],
    ['nobody, with tags of null', null],
  ])('is not touched when %s marked it', async (_case, tags) => {
    azure.wire.on(`GET ${CONTAINER}`, arm(200, container(tags)));
    const call = ensureModelContainer(azure.azure, identity, { name: 'boats', role: 'source' }, signal());
    expect(await thrownBy(call)).toMatchObject({ code: 'NameConflict' });
    expect(azure.wire.requests).toEqual([`GET ${CONTAINER}`]);
  });

  it('is found among those of others', async () => {
    const theirs = { ...container({ 'slipway-owner': FOREIGN_MARK }), name: 'theirs' };
    const untagged = { ...container(null), name: 'untagged' };
    const ours = container({ 'slipway-owner': EARLIER_MARK });
    azure.wire.on(`GET ${at('/models')}`, recorded.list([theirs, untagged], `${at('/models')}/more`));
    azure.wire.on(`GET ${at('/models')}/more`, recorded.list([ours]));
    const found = await findModelContainers(azure.azure, identity, signal());
    expect(found.map(({ name }) => name)).toEqual(['boats']);
  });
});

describe('what a job runs in', () => {
  const environment = { image: 'mcr.example/base@sha256:0', condaFile: 'name: conversion\n' };
  const environmentAt = `/environments/slipway-conversion/versions/${shortDigest(environmentDigest(environment))}`;
  const codeAt = `/codes/slipway-conversion/versions/${shortDigest(DIGEST)}`;
  const assets = {
    environment: {
      rest: environmentAt,
      ensure: () => ensureEnvironment(azure.azure, identity, environment, signal()),
    },
    code: {
      rest: codeAt,
      ensure: () => ensureCode(azure.azure, identity, { digest: DIGEST, url: 'https://blobs.example/code' }, signal()),
    },
  };

  it.each(['environment', 'code'] as const)('is registered once: %s', async (kind) => {
    const { rest, ensure } = assets[kind];
    const body = { id: at(rest), name: 'x', properties: { description: null, tags: null, isArchived: false } };
    azure.wire.on(`GET ${at(rest)}`, recorded.mlError(404, 'Not found.'), arm(200, body));
    azure.wire.on(`PUT ${at(rest)}`, recorded.assetWritten(201, rest, body));
    expect(await ensure()).toBe(at(rest));
    expect(await ensure()).toBe(at(rest));
    expect(azure.wire.requests).toEqual([`GET ${at(rest)}`, `PUT ${at(rest)}`, `GET ${at(rest)}`]);
  });

  it.each(['environment', 'code'] as const)('is not registered blindly when the look failed: %s', async (kind) => {
    const { rest, ensure } = assets[kind];
    azure.wire.on(`GET ${at(rest)}`, errors.throttled);
    expect(classify(await thrownBy(ensure()))).toMatchObject({ class: 'retry', retryAfterSeconds: 10 });
    expect(azure.wire.requests).toEqual([`GET ${at(rest)}`]);
  });
});
