import type { AzureConnection } from '../azure/connection.js';
import { cancelJob, deleteJob, findJobs, getJob, hasEnded, type Job } from '../azure/jobs.js';
import type { Removal, RemovalInput } from '../deployment/activities.js';
import { stillPresent, type Attempt } from './failure.js';
import { isInScope, removedSoFar, requireAbsence } from './removal.js';

/** Cancels the jobs whose mark is in scope, and deletes them once they have ended: Azure ML deletes no job that runs. */
export async function removeJobs(azure: AzureConnection, input: RemovalInput, attempt: Attempt): Promise<Removal> {
  const jobs = await findJobs(azure, input.identity, attempt.abortSignal);
  const ours = jobs.filter(({ owner }) => isInScope(owner, input));
  const running = ours.filter((job) => !hasEnded(job));
  for (const job of running) await stopJob(azure, input, job, attempt);
  for (const job of ours) await removeJob(azure, input, job, attempt);
  requireAbsence(input, 'the conversion job', attempt);
  return { removed: removedSoFar() };
}

async function stopJob(azure: AzureConnection, { identity }: RemovalInput, job: Job, attempt: Attempt): Promise<void> {
  const { abortSignal } = attempt;
  if (job.status !== 'CancelRequested') await cancelJob(azure, identity, job.name, abortSignal);
  const now = await getJob(azure, identity, job.name, abortSignal);
  if (now && !hasEnded(now)) throw stillPresent(`Azure ML job ${job.name} is ${now.status}`, { ...attempt, ...now });
}

async function removeJob(
  azure: AzureConnection,
  { identity }: RemovalInput,
  job: Job,
  attempt: Attempt,
): Promise<void> {
  const { abortSignal } = attempt;
  const retryAfterSeconds = await deleteJob(azure, identity, job.name, abortSignal);
  removedSoFar([job.name]);
  const left = await getJob(azure, identity, job.name, abortSignal);
  if (left) throw stillPresent(`Azure ML job ${job.name} is being deleted`, { ...attempt, retryAfterSeconds });
}
