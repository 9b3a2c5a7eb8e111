import { isDeepStrictEqual } from 'node:util';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { parseBody } from '../../arm/body.js';
import { page } from '../../arm/paging.js';
import { fateOf } from '../../arm/operations.js';
import { resourceKey } from '../../arm/resource-id.js';
import { jobCancelSeconds } from '../../core/durations.js';
import type { Emulator } from '../../core/emulator.js';
import { effect } from '../../core/journal.js';
import { retryAfterSeconds } from '../../core/limits.js';
import { notFound, userError } from '../errors.js';
import { systemData, workspacePath, workspaceType, type WorkspaceParams } from '../routes.js';
import { findWorkspace, type Workspace } from '../workspaces.js';
import { artifactPrefix, commandJobSchema, isTerminal, jobs, type CommandJob, type Job } from './job.js';
import { checkReferences } from './references.js';
import type { JobRunner } from './runner.js';

interface JobRoute {
  Params: WorkspaceParams & { job: string };
}

const bodySchema = z.object({ properties: commandJobSchema });

/** Command jobs: create, get, list, cancel, delete. */
export function registerJobs(app: FastifyInstance, emulator: Emulator, runner: JobRunner): void {
  const path = `${workspacePath}/jobs`;
  const find = (params: JobRoute['Params']): Job => {
    const job = jobs(emulator).get(resourceKey(jobId(findWorkspace(emulator, params), params.job)));
    if (job === undefined) throw notFound(`job ${params.job}`);
    return job;
  };

  emulator.inventory.source(() =>
    jobs(emulator)
      .list()
      .map(({ id, name, definition: { tags } }) => ({ kind: 'job', id, name, ...(tags && { tags }) })),
  );
  emulator.faults.stateSource((path) => {
    const [id = ''] = /^.*\/workspaces\/[^/]+\/jobs\/[^/]+/i.exec(path) ?? [];
    return jobs(emulator).get(resourceKey(id))?.status;
  });
  emulator.operations.define('ml-job-cancel', { onSucceeded: () => undefined, onFailed: () => undefined });
  emulator.operations.define('ml-job-delete', {
    onSucceeded: (id) => void jobs(emulator).delete(resourceKey(id)),
    onFailed: () => undefined,
  });

  app.get<{ Params: WorkspaceParams }>(path, async (request) => {
    const prefix = `${resourceKey(findWorkspace(emulator, request.params).id)}/jobs/`;
    return page(request, jobs(emulator).list(prefix).map(toBody));
  });

  app.get<JobRoute>(`${path}/:job`, async (request, reply) => {
    const job = find(request.params);
    if (!isTerminal(job)) reply.header('retry-after', retryAfterSeconds);
    return toBody(job);
  });

  app.put<JobRoute>(`${path}/:job`, async (request, reply) => {
    const workspace = findWorkspace(emulator, request.params);
    const { properties } = parseBody(bodySchema, request.body);
    const id = jobId(workspace, request.params.job);
    const existing = jobs(emulator).get(resourceKey(id));
    if (existing !== undefined) return toBody(updateJob(emulator, request, existing, properties));
    checkReferences(emulator, workspace, properties);
    const job = createJob(emulator, request, workspace, properties);
    runner.start(job);
    return reply.code(201).header('location', `https://${request.host}${request.url}`).send(toBody(job));
  });

  app.post<JobRoute>(`${path}/:job/cancel`, async (request, reply) => {
    const job = find(request.params);
    if (isTerminal(job)) return reply.code(200).send();
    runner.cancel(job);
    effect(request, { change: 'updated', kind: 'job', id: job.id });
    return accepted(emulator, request, reply, findWorkspace(emulator, request.params), job, 'ml-job-cancel');
  });

  app.delete<JobRoute>(`${path}/:job`, async (request, reply) => {
    const workspace = findWorkspace(emulator, request.params);
    const job = jobs(emulator).get(resourceKey(jobId(workspace, request.params.job)));
    if (job === undefined) return reply.code(204).send();
    if (!isTerminal(job)) {
      throw userError(`Job ${job.name} is ${job.status}: only a job in a terminal state can be deleted.`, 409);
    }
    const deleting = emulator.operations.current(job.id) !== undefined;
    effect(request, { change: deleting ? 'unchanged' : 'deleted', kind: 'job', id: job.id });
    return accepted(emulator, request, reply, workspace, job, 'ml-job-delete');
  });
}

function jobId(workspace: Workspace, name: string): string {
  return `${workspace.id}/jobs/${name}`;
}

function createJob(
  emulator: Emulator,
  request: FastifyRequest<JobRoute>,
  workspace: Workspace,
  definition: CommandJob,
): Job {
  const fate = fateOf(request);
  const job: Job = {
    id: jobId(workspace, request.params.job),
    name: request.params.job,
    workspace: workspace.id,
    definition,
    status: 'Starting',
    createdAt: emulator.clock.now().toISOString(),
    ...(fate && fate !== 'relapse' && { fate }),
  };
  jobs(emulator).put(resourceKey(job.id), job);
  effect(request, { change: 'created', kind: 'job', id: job.id });
  return job;
}

/** Of a job that was accepted only what describes it may change; the same definition again changes nothing. */
function updateJob(emulator: Emulator, request: FastifyRequest, existing: Job, definition: CommandJob): Job {
  const fixed = ({ tags: _tags, properties: _properties, description: _description, ...rest }: CommandJob): unknown =>
    rest;
  if (!isDeepStrictEqual(fixed(existing.definition), fixed(definition))) {
    throw userError(`A job with the name ${existing.name} already exists.`, 409);
  }
  const unchanged = isDeepStrictEqual(existing.definition, definition);
  effect(request, { change: unchanged ? 'unchanged' : 'updated', kind: 'job', id: existing.id });
  if (unchanged) return existing;
  const updated = { ...existing, definition };
  jobs(emulator).put(resourceKey(existing.id), updated);
  return updated;
}

/** Both are asked for by `Location`; of a deletion the status can be asked for as well, and its body is JSON's null. */
function accepted(
  emulator: Emulator,
  request: FastifyRequest,
  reply: FastifyReply,
  workspace: Workspace,
  job: Job,
  type: 'ml-job-cancel' | 'ml-job-delete',
): FastifyReply {
  const { statusUrl, resultUrl } = emulator.operations.begin(request, {
    type,
    resourceId: job.id,
    provider: 'Microsoft.MachineLearningServices',
    region: workspace.location,
    seconds: jobCancelSeconds,
  });
  reply.code(202).headers({ location: resultUrl, 'retry-after': retryAfterSeconds });
  if (type === 'ml-job-cancel') return reply.send();
  return reply.header('azure-asyncoperation', statusUrl).type('application/json; charset=utf-8').send('null');
}

function toBody({ id, name, definition, status, error, createdAt, startedAt, endedAt }: Job): unknown {
  const artifacts = `azureml://datastores/workspaceartifactstore/${artifactPrefix(name)}`;
  return {
    id,
    name,
    type: `${workspaceType}/jobs`,
    properties: {
      displayName: name,
      experimentName: 'Default',
      isArchived: false,
      ...definition,
      tags: definition.tags ?? {},
      properties: {
        ...definition.properties,
        ...(startedAt && { StartTimeUtc: startedAt }),
        ...(endedAt && { EndTimeUtc: endedAt }),
      },
      status,
      outputs: {
        ...definition.outputs,
        default: { jobOutputType: 'uri_folder', mode: 'ReadWriteMount', uri: artifacts },
      },
      services: { Tracking: { jobServiceType: 'Tracking' }, Studio: { jobServiceType: 'Studio' } },
      ...(error && { error }),
    },
    systemData: systemData(createdAt),
  };
}
