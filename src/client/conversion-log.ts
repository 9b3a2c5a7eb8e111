import type { Client } from '@temporalio/client';
import type { AzureConnection } from '../azure/connection.js';
import { artifactsOf, listJobsWithArtifacts, readJobLog } from '../azure/job-logs.js';
import { findJobs, getJob } from '../azure/jobs.js';
import { describeModelVersions } from '../azure/models.js';
import { getWorkspace } from '../azure/workspace.js';
import type { Workspace } from '../deployment/activities.js';
import { SlipwayError } from '../deployment/errors.js';
import { identify } from '../deployment/identity.js';
import { CONVERSION_PROPERTY, parseConversionJobName, shortDigest, type Identity } from '../deployment/names.js';
import type { DeployResult } from '../deployment/result.js';
import { asking } from './azure-failures.js';
import { changesOf } from './changes.js';
import { unknownService } from './failures.js';
import { AZURE_TIMEOUT_MS } from './limits.js';
import { askTemporal } from './temporal.js';
import type { WorkspaceAccess } from './workspace-access.js';

/** What a conversion has printed. */
export interface ConversionLog {
  readonly service: string;
  readonly deploymentId: string;
  /** Name of the Azure ML job. */
  readonly job: string;
  /** Where the result lies, when the deployment found it there and submitted no job: the log is that of the job that made it. */
  readonly reused?: string;
  readonly text: string;
}

/** A deployment whose conversion is asked for. */
interface Deployment {
  readonly deploymentId: string;
  /** Absent when it has not succeeded. */
  readonly converted?: DeployResult['converted'];
}

/** Where jobs and their logs are looked for. */
interface Search {
  readonly azure: AzureConnection;
  readonly identity: Identity;
  readonly workspace: Workspace;
  readonly abortSignal: AbortSignal;
}

/**
 * The log of a deployment's conversion; also of one whose job was deleted by its undo, because Azure ML keeps the logs.
 *
 * @param deploymentId the newest deployment by default
 * @throws SlipwayError `UnknownService`, `DeploymentNotFound`, `NoConversionLog`
 */
export async function readConversionLog(
  { temporal, azure, place }: WorkspaceAccess,
  service: string,
  deploymentId: string | undefined,
): Promise<ConversionLog> {
  const identity = identify({ ...place, service });
  const deployment = await askTemporal(() => findDeployment(temporal, identity, deploymentId));
  const abortSignal = AbortSignal.timeout(AZURE_TIMEOUT_MS);
  return asking(async () => {
    const workspace = await getWorkspace(azure, place, abortSignal);
    const search: Search = { azure, identity, workspace, abortSignal };
    const known = { service, deploymentId: deployment.deploymentId };
    const own = await jobOfDeployment(search, deployment);
    if (own !== undefined) return { ...known, job: own, text: await logOf(search, own) };
    const { job, url } = await reusedConversion(search, deployment);
    return { ...known, job, reused: url, text: await logOf(search, job) };
  });
}

async function findDeployment(client: Client, identity: Identity, wanted: string | undefined): Promise<Deployment> {
  let known = 0;
  for await (const { change, state, deploymentId, workflowId, runId } of changesOf(client, identity)) {
    known++;
    if (change !== 'deploy' || deploymentId === undefined || deploymentId !== (wanted ?? deploymentId)) continue;
    if (state !== 'completed') return { deploymentId };
    // The workflow `deploy` answers this type.
    const { converted } = (await client.workflow.getHandle(workflowId, runId).result()) as DeployResult;
    return { deploymentId, converted };
  }
  if (known === 0) throw unknownService(identity);
  const which = wanted === undefined ? 'no deployment' : `no deployment ${wanted}`;
  throw new SlipwayError('DeploymentNotFound', `Temporal keeps ${which} of ${identity.service}`, {
    fix: `\`slipway history ${identity.service}\` lists those that it keeps.`,
  });
}

/** The last job that a deployment submitted, also when it was deleted since; undefined when it submitted none. */
async function jobOfDeployment(
  { azure, identity, workspace, abortSignal }: Search,
  { deploymentId }: Deployment,
): Promise<string | undefined> {
  const [submitted, left] = await Promise.all([
    findJobs(azure, identity, abortSignal),
    listJobsWithArtifacts(azure, workspace, `slipway-${deploymentId}-`, abortSignal),
  ]);
  const names = [...submitted.map(({ name }) => name), ...left];
  return lastAttempt(names, (job) => job.deploymentId === deploymentId);
}

/** The job of whichever deployment that made the result which this one used, and where that lies. */
async function reusedConversion(
  { azure, identity, workspace, abortSignal }: Search,
  { deploymentId, converted }: Deployment,
): Promise<{ job: string; url: string }> {
  if (converted === undefined) {
    throw noLog(`Deployment ${deploymentId} of ${identity.service} has submitted no conversion job`);
  }
  const { name, version, url } = converted;
  const versions = await describeModelVersions(azure, identity, name, abortSignal);
  const conversion = versions.find((each) => each.version === version)?.properties[CONVERSION_PROPERTY];
  const names = conversion === undefined ? [] : await listJobsWithArtifacts(azure, workspace, 'slipway-', abortSignal);
  const job = lastAttempt(names, (each) => conversion !== undefined && each.conversion === shortDigest(conversion));
  if (job !== undefined) return { job, url };
  throw noLog(
    `Deployment ${deploymentId} of ${identity.service} used the result of an equal conversion (${url}), whose job has left no log`,
  );
}

function lastAttempt(
  names: readonly string[],
  matches: (job: NonNullable<ReturnType<typeof parseConversionJobName>>) => boolean,
): string | undefined {
  return names
    .flatMap((name) => {
      const job = parseConversionJobName(name);
      return job !== undefined && matches(job) ? { name, attempt: job.attempt } : [];
    })
    .sort((a, b) => b.attempt - a.attempt)
    .at(0)?.name;
}

async function logOf({ azure, identity, workspace, abortSignal }: Search, name: string): Promise<string> {
  const job = await getJob(azure, identity, name, abortSignal);
  const text = await readJobLog(azure, workspace, job?.artifacts ?? artifactsOf(name), abortSignal);
  if (text !== undefined) return text;
  throw noLog(`Azure ML job ${name} ${job === undefined ? 'is gone' : `is ${job.status}`} and has no log`);
}

function noLog(message: string): SlipwayError {
  return new SlipwayError('NoConversionLog', message, {
    fix: '`slipway watch SERVICE` shows how far a deployment is.',
  });
}
