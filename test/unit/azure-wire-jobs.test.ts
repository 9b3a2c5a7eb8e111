import { describe, expect, it } from 'vitest';
import { classify } from '../../src/azure/failures.js';
import { cancelJob, deleteJob, ensureJob, findJobs, getJob, hasEnded, type JobContent } from '../../src/azure/jobs.js';
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
const NAME = 'slipway-dabcdefghijk-0123456789ab-1';
const JOB = recorded.inWorkspace(`/jobs/${NAME}`);
const notFound = recorded.mlError(404, `Not found. Run ${NAME} was not found.`);
const ours = { tags: { 'slipway-owner': MARK } };
const look = () => getJob(azure.azure, identity, NAME, signal());

const content: JobContent = {
  displayName: 'convert',
  command: 'python -m conversion.job --model ${{inputs.model}} --out ${{outputs.converted}}',
  environmentId: recorded.inWorkspace('/environments/slipway-conversion/versions/0'),
  codeId: recorded.inWorkspace('/codes/slipway-conversion/versions/0'),
  compute: { instanceType: 'Standard_E4s_v3' },
  inputs: { model: 'azureml://datastores/workspaceblobstore/paths/slipway/models/0' },
  outputs: { converted: 'azureml://datastores/workspaceblobstore/paths/slipway/conversions/0' },
};

describe('submitting a job', () => {
  const submit = (job = content) => ensureJob(azure.azure, identity, NAME, job, signal());

  it('is one PUT that is no operation, with all that the client leaves out', async () => {
    azure.wire.on(`GET ${JOB}`, notFound);
    azure.wire.on(`PUT ${JOB}`, recorded.jobSubmitted(NAME));
    await submit();
    expect(azure.wire.requests).toEqual([`GET ${JOB}`, `PUT ${JOB}`]);
    const put = azure.wire.asked[1];
    expect(put?.headers.authorization).toBe('Bearer recorded-entra-token');
    // Serverless compute came with 2023-04-01.
    expect(put?.query.get('api-version')).toBe('2024-04-01');
    expect(JSON.parse(put?.body ?? '')).toMatchObject({
      properties: {
        jobType: 'Command',
        resources: { instanceType: 'Standard_E4s_v3', instanceCount: 1 },
        inputs: { model: { jobInputType: 'uri_folder', mode: 'ReadOnlyMount', uri: content.inputs['model'] } },
        outputs: {
          converted: { jobOutputType: 'uri_folder', mode: 'ReadWriteMount', uri: content.outputs['converted'] },
        },
        limits: { jobLimitsType: 'Command', timeout: 'PT1H' },
        tags: { 'slipway-owner': MARK },
      },
    });
  });

  it('sends nothing when it was submitted', async () => {
    azure.wire.on(`GET ${JOB}`, recorded.jobRead(NAME, 'Running', ours));
    await submit();
    expect(azure.wire.requests).toEqual([`GET ${JOB}`]);
  });

  it('is done when an earlier request came through in between', async () => {
    azure.wire.on(`GET ${JOB}`, notFound, recorded.jobRead(NAME, 'Queued', ours));
    azure.wire.on(`PUT ${JOB}`, recorded.mlError(409, 'A job with this name already exists.'));
    await submit();
    expect(azure.wire.requests).toEqual([`GET ${JOB}`, `PUT ${JOB}`, `GET ${JOB}`]);
  });

  it.each([EARLIER_MARK, FOREIGN_MARK])('leaves the job of %s alone', async (owner) => {
    azure.wire.on(`GET ${JOB}`, recorded.jobRead(NAME, 'Running', { tags: { 'slipway-owner': owner } }));
    expect(await thrownBy(submit())).toMatchObject({ code: 'NameConflict' });
  });

  it.each([
    ['a wrapped 400', recorded.mlError(400, 'Compute not found.'), { code: 'UserError', class: 'fatal', status: 400 }],
    ['an empty 503', errors.emptyUnavailable, { code: 'HTTP503', class: 'retry', status: 503 }],
    ['throttling', errors.throttled, { code: 'SubscriptionRequestsThrottled', retryAfterSeconds: 10 }],
    ['a page of a proxy', errors.badGatewayPage, { code: 'HTTP502', class: 'retry', status: 502 }],
  ])('says why it was refused: %s', async (_case, answer, expected) => {
    azure.wire.on(`GET ${JOB}`, notFound);
    azure.wire.on(`PUT ${JOB}`, answer);
    expect(classify(await thrownBy(submit()))).toMatchObject(expected);
    expect(azure.wire.requests).toHaveLength(2);
  });
});

describe('looking at a job', () => {
  it.each([
    ['NotStarted', false],
    ['Starting', false],
    ['Provisioning', false],
    ['Preparing', false],
    ['Queued', false],
    ['Running', false],
    ['Finalizing', false],
    ['CancelRequested', false],
    ['NotResponding', false],
    ['Paused', false],
    ['Unknown', false],
    ['SomethingNew', false],
    ['Completed', true],
    ['Failed', true],
    ['Canceled', true],
  ])('passes the state on: %s (ended: %s)', async (status, ended) => {
    azure.wire.on(`GET ${JOB}`, recorded.jobRead(NAME, status, ours));
    const job = await look();
    expect(job).toEqual({
      name: NAME,
      status,
      owner: MARK,
      failure: undefined,
      artifacts: `azureml://datastores/workspaceartifactstore/ExperimentRun/dcid.${NAME}`,
      retryAfterSeconds: undefined,
    });
    expect(job && hasEnded(job)).toBe(ended);
  });

  it.each([null, undefined])('reads a state of %s as unknown, and looks again', async (status) => {
    azure.wire.on(`GET ${JOB}`, arm(200, recorded.jobBody(NAME, 'x', { status, tags: null })));
    expect(await look()).toMatchObject({ status: 'Unknown', owner: undefined });
  });

  it.each([
    [
      'the error of one that failed',
      { error: { code: 'UserError', message: 'exit 2', details: [] } },
      { code: 'UserError', message: 'exit 2' },
    ],
    ['no error, where it is null', { error: null }, undefined],
    ['no error, where there is none', {}, undefined],
  ])('reads %s', async (_case, properties, failure) => {
    azure.wire.on(`GET ${JOB}`, recorded.jobRead(NAME, 'Failed', { ...ours, ...properties }));
    expect((await look())?.failure).toEqual(failure);
  });

  it('says where logs will lie before the service adds its own output', async () => {
    azure.wire.on(`GET ${JOB}`, recorded.jobRead(NAME, 'Starting', { ...ours, outputs: null }));
    expect((await look())?.artifacts).toBe(`azureml://datastores/workspaceartifactstore/ExperimentRun/dcid.${NAME}`);
  });

  it('reads how long to wait, and that there is none', async () => {
    azure.wire.on(`GET ${JOB}`, arm(200, recorded.jobBody(NAME, 'Queued', ours), { 'retry-after': '20' }), notFound);
    expect(await look()).toMatchObject({ retryAfterSeconds: 20 });
    expect(await look()).toBeUndefined();
  });

  it.each([
    ['a page of a proxy', errors.badGatewayPage, { code: 'HTTP502', status: 502 }],
    ['an empty 500', errors.emptyServerError, { code: 'HTTP500', status: 500 }],
  ])('judges what is no job by its status: %s', async (_case, answer, expected) => {
    azure.wire.on(`GET ${JOB}`, answer);
    expect(classify(await thrownBy(look()))).toMatchObject({ ...expected, class: 'retry' });
    expect(azure.wire.requests).toHaveLength(1);
  });

  it('finds those of the service over pages', async () => {
    const jobs = recorded.inWorkspace('/jobs');
    const theirs = recorded.jobBody('theirs', 'Running', { tags: { 'slipway-owner': FOREIGN_MARK } });
    azure.wire.on(`GET ${jobs}`, recorded.list([theirs, recorded.jobBody('a', 'Running', ours)], `${jobs}/more`));
    azure.wire.on(
      `GET ${jobs}/more`,
      recorded.list([recorded.jobBody('b', 'Failed', { tags: { 'slipway-owner': EARLIER_MARK } })]),
    );
    expect((await findJobs(azure.azure, identity, signal())).map(({ name }) => name)).toEqual(['a', 'b']);
  });
});

describe('ending a job', () => {
  const operation = recorded.jobOperationPath(NAME);

  it.each([
    ['is accepted', recorded.jobOperation(NAME), arm(202, 'null', { location: `{origin}${operation}` })],
    ['was done at once', recorded.jobOperation(NAME), arm(200, 'null')],
  ])('asks once, and looks at most once after it: a cancel that %s', async (_case, answer, result) => {
    azure.wire.on(`POST ${JOB}/cancel`, answer);
    azure.wire.on(`GET ${operation}`, result);
    await cancelJob(azure.azure, identity, NAME, signal());
    expect(azure.wire.requests.filter((request) => request.startsWith('POST'))).toHaveLength(1);
    expect(azure.wire.requests.length).toBeLessThanOrEqual(2);
  });

  it.each([
    ['gone', notFound],
    ['over', recorded.mlError(409, 'The job is in a terminal state.')],
  ])('needs no cancel of a job that is %s', async (_case, answer) => {
    azure.wire.on(`POST ${JOB}/cancel`, answer);
    await cancelJob(azure.azure, identity, NAME, signal());
  });

  it('deletes, and says how long the service asks to wait', async () => {
    azure.wire.on(`DELETE ${JOB}`, recorded.jobOperation(NAME));
    azure.wire.on(`GET ${operation}`, arm(202, 'null', { location: `{origin}${operation}` }));
    expect(await deleteJob(azure.azure, identity, NAME, signal())).toBe(20);
    expect(azure.wire.requests.filter((request) => request.startsWith('DELETE'))).toHaveLength(1);
  });

  it.each([
    ['200', arm(200, '')],
    ['204', arm(204, '')],
    ['404', notFound],
  ])('takes %s for deleted', async (_case, answer) => {
    azure.wire.on(`DELETE ${JOB}`, answer);
    expect(await deleteJob(azure.azure, identity, NAME, signal())).toBeUndefined();
  });
});
