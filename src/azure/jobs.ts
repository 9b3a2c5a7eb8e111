import type { CommandJob, JobBase } from '@azure/arm-machinelearning';
import { z } from 'zod';
import { FailureType, SlipwayError } from '../deployment/errors.js';
import {
  isOfDeployment,
  isOfService,
  OWNER_TAG,
  ownershipMark,
  SERVICE_TAG,
  type Identity,
} from '../deployment/names.js';
import type { AzureConnection } from './connection.js';
import { ignoreNotFound, isConflict, isNotFound, RetryAfter } from './failures.js';
import { artifactsOf } from './job-logs.js';
import { CONVERSION_JOB_TIMEOUT } from './limits.js';
import { putResource } from './resources.js';
import { inWorkspace, workspaceId } from './workspace.js';

/** A job as one look saw it. */
export interface Job {
  readonly name: string;
  /** Azure ML's state, for example `Preparing`. */
  readonly status: string;
  readonly owner: string | undefined;
  /** Why it failed, where the service says so. */
  readonly failure: { readonly code: string; readonly message: string } | undefined;
  /** Where its logs lie: the address of its default output. */
  readonly artifacts: string;
  readonly retryAfterSeconds: number | undefined;
}

/** A command to run on a folder or two. Addresses are `azureml://`, ids are ARM ids. */
export interface JobContent {
  readonly displayName: string;
  readonly command: string;
  readonly environmentId: string;
  readonly codeId: string;
  /** ARM id of a compute, or the size of a serverless machine. */
  readonly compute: { readonly computeId: string } | { readonly instanceType: string };
  /** Folders to read, by the name that the command uses. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Folders to write, by the name that the command uses. */
  readonly outputs: Readonly<Record<string, string>>;
}

/** The client's own 2022-10-01 is older than serverless compute. */
const JOB_API_VERSION = '2024-04-01';

/** States that a job stays in. */
const ENDED: ReadonlySet<string> = new Set(['Completed', 'Failed', 'Canceled']);

/** Whether a job is over, well or not. */
export function hasEnded({ status }: Pick<Job, 'status'>): boolean {
  return ENDED.has(status);
}

/** Submits a job, unless this deployment has one of that name. @throws SlipwayError `NameConflict` */
export async function ensureJob(
  azure: AzureConnection,
  identity: Identity,
  name: string,
  content: JobContent,
  abortSignal: AbortSignal,
): Promise<void> {
  if (await isSubmitted(azure, identity, name, abortSignal)) return;
  const place = {
    subscriptionId: identity.subscriptionId,
    id: `${workspaceId(identity)}/jobs/${name}`,
    apiVersion: JOB_API_VERSION,
  };
  try {
    // Version 2.1.1 of the client drops `uri` and `mode` of every input and output.
    await putResource(azure, place, { properties: toJob(identity, content) }, abortSignal);
  } catch (error) {
    // An earlier request whose reply was lost may have come through in between.
    if (!isConflict(error) || !(await isSubmitted(azure, identity, name, abortSignal))) throw error;
  }
}

async function isSubmitted(
  azure: AzureConnection,
  identity: Identity,
  name: string,
  abortSignal: AbortSignal,
): Promise<boolean> {
  const existing = await getJob(azure, identity, name, abortSignal);
  if (existing && !isOfDeployment(existing.owner, identity)) {
    throw new SlipwayError(FailureType.NameConflict, `The workspace has a job ${name} that is not this deployment's`);
  }
  return existing !== undefined;
}

function toJob(identity: Identity, content: JobContent): CommandJob {
  return {
    jobType: 'Command',
    displayName: content.displayName,
    experimentName: 'slipway',
    command: content.command,
    environmentId: content.environmentId,
    codeId: content.codeId,
    ...('computeId' in content.compute
      ? { computeId: content.compute.computeId }
      : { resources: { instanceType: content.compute.instanceType, instanceCount: 1 } }),
    inputs: mapValues(content.inputs, (uri) => ({ jobInputType: 'uri_folder', mode: 'ReadOnlyMount', uri }) as const),
    outputs: mapValues(
      content.outputs,
      (uri) => ({ jobOutputType: 'uri_folder', mode: 'ReadWriteMount', uri }) as const,
    ),
    limits: { jobLimitsType: 'Command', timeout: CONVERSION_JOB_TIMEOUT },
    tags: { [OWNER_TAG]: ownershipMark(identity), [SERVICE_TAG]: identity.service },
  };
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, map: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}

/** What the SDK leaves out of a job's body. */
const RawJob = z.object({
  properties: z.object({ error: z.object({ code: z.string(), message: z.string() }).nullish() }),
});

/** Looks at a job once; undefined when there is none. */
export async function getJob(
  azure: AzureConnection,
  identity: Identity,
  name: string,
  abortSignal: AbortSignal,
): Promise<Job | undefined> {
  const { client, place } = inWorkspace(azure, identity);
  const retryAfter = new RetryAfter();
  let body: string | null | undefined;
  try {
    const found = await client.jobs.get(...place, name, {
      abortSignal,
      onResponse: (response) => {
        retryAfter.onResponse(response);
        body = response.bodyAsText;
      },
    });
    // Once the client has taken it for a job: a proxy's error page is no JSON.
    const failure = RawJob.safeParse(body ? JSON.parse(body) : undefined).data?.properties.error ?? undefined;
    return { ...toLook(found), failure, retryAfterSeconds: retryAfter.seconds };
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** The jobs of a service, whichever of its deployments submitted them. */
export async function findJobs(azure: AzureConnection, identity: Identity, abortSignal: AbortSignal): Promise<Job[]> {
  const { client, place } = inWorkspace(azure, identity);
  const jobs: Job[] = [];
  for await (const found of client.jobs.list(...place, { tag: OWNER_TAG, listViewType: 'All', abortSignal })) {
    const job = toLook(found);
    if (isOfService(job.owner, identity)) jobs.push({ ...job, failure: undefined, retryAfterSeconds: undefined });
  }
  return jobs;
}

/** Asks a job to stop. One that has ended or is gone needs no asking. */
export async function cancelJob(
  azure: AzureConnection,
  identity: Identity,
  name: string,
  abortSignal: AbortSignal,
): Promise<void> {
  const { client, place } = inWorkspace(azure, identity);
  try {
    await client.jobs.beginCancel(...place, name, { abortSignal });
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}

/**
 * Sends the DELETE of a job that has ended; one that is not there is deleted. Returns what the service asks to wait before
 * the next look: while it deletes, the job itself does not say.
 */
export async function deleteJob(
  azure: AzureConnection,
  identity: Identity,
  name: string,
  abortSignal: AbortSignal,
): Promise<number | undefined> {
  const { client, place } = inWorkspace(azure, identity);
  const retryAfter = new RetryAfter();
  const { onResponse } = retryAfter;
  await client.jobs.beginDelete(...place, name, { abortSignal, onResponse }).catch(ignoreNotFound);
  return retryAfter.seconds;
}

function toLook({ name = '', properties }: JobBase): Pick<Job, 'name' | 'status' | 'owner' | 'artifacts'> {
  return {
    name,
    status: properties.status ?? 'Unknown',
    owner: properties.tags?.[OWNER_TAG] ?? undefined,
    artifacts: defaultOutput(properties) ?? artifactsOf(name),
  };
}

function defaultOutput(properties: JobBase['properties']): string | undefined {
  if (!('outputs' in properties)) return undefined;
  const output = properties.outputs?.['default'];
  return output && 'uri' in output && typeof output.uri === 'string' ? output.uri : undefined;
}
