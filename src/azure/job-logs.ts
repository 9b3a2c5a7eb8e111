import type { Workspace } from '../deployment/activities.js';
import { openBlobStore, parseDatastoreUri, readBlob, readBlobEnd } from './blobs.js';
import type { AzureConnection } from './connection.js';

/** Where Azure ML puts what a job's command printed, below the job's artifacts. */
const JOB_LOG = 'user_logs/std_log.txt';

/** The datastore that Azure ML keeps its own files of jobs in. They stay when a job is deleted. */
const ARTIFACT_DATASTORE = 'workspaceartifactstore';
/** What the names of the jobs' folders begin with there. */
const ARTIFACT_PREFIX = 'ExperimentRun/dcid.';

/** The address of a job's artifacts, as Azure ML gives it to every job. */
export function artifactsOf(jobName: string): string {
  return `azureml://datastores/${ARTIFACT_DATASTORE}/${ARTIFACT_PREFIX}${jobName}`;
}

/**
 * What the command of a job has printed so far; undefined when there is nothing yet, or nothing left.
 *
 * @param lastBytes only so much of its end; the whole by default
 */
export async function readJobLog(
  azure: AzureConnection,
  workspace: Workspace,
  artifacts: string,
  abortSignal: AbortSignal,
  lastBytes?: number,
): Promise<string | undefined> {
  const { datastore, path } = parseDatastoreUri(artifacts);
  const store = await openBlobStore(azure, workspace, abortSignal, datastore);
  const log = `${path}/${JOB_LOG}`;
  const text = await (lastBytes === undefined
    ? readBlob(store, log, abortSignal)
    : readBlobEnd(store, log, lastBytes, abortSignal));
  return text?.toString('utf8');
}

/** Names of the jobs, deleted ones included, that have left artifacts and whose names begin with `prefix`. */
export async function listJobsWithArtifacts(
  azure: AzureConnection,
  workspace: Workspace,
  prefix: string,
  abortSignal: AbortSignal,
): Promise<string[]> {
  const { container } = await openBlobStore(azure, workspace, abortSignal, ARTIFACT_DATASTORE);
  const names: string[] = [];
  const options = { prefix: `${ARTIFACT_PREFIX}${prefix}`, abortSignal };
  for await (const item of container.listBlobsByHierarchy('/', options)) {
    if (item.kind === 'prefix') names.push(item.name.slice(ARTIFACT_PREFIX.length, -1));
  }
  return names;
}
