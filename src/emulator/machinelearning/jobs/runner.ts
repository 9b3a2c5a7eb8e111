import { createHash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { resourceKey } from '../../arm/resource-id.js';
import { jobFinalizeSeconds, jobQueueSeconds, jobStartSeconds } from '../../core/durations.js';
import type { Emulator } from '../../core/emulator.js';
import type { BlobStore } from '../../storage/blob-store.js';
import { artifactContainer, storageAccountOf, workspaces, type Workspace } from '../workspaces.js';
import { pathInCommand, runCommand, substitute, type JobDirectory } from './command.js';
import { pipRequirements } from './conda.js';
import { download, locate, upload } from './data.js';
import { artifactPrefix, isTerminal, JobFailure, jobs, type Job, type JobStatus } from './job.js';
import { LogMirror } from './log.js';
import { PythonEnvironments, type PythonEnvironment } from './python-environment.js';
import { assetOf } from './references.js';
import { timeoutMs } from './timeout.js';

/** Why a running job is stopped. */
class JobStopped extends Error {
  constructor(readonly by: 'cancel' | 'emulator') {
    super(`stopped by ${by}`);
  }
}

/** Runs command jobs. One that a killed emulator left unfinished runs again from its start: outputs have fixed places. */
export class JobRunner {
  private readonly environments: PythonEnvironments;
  private readonly running = new Map<string, { abort: AbortController; done: Promise<void> }>();

  constructor(
    private readonly emulator: Emulator,
    private readonly blobs: BlobStore,
  ) {
    this.environments = new PythonEnvironments(emulator);
    emulator.onClose(() => this.close());
    for (const job of jobs(emulator).list()) {
      if (job.status === 'CancelRequested') this.update(job, { status: 'Canceled', endedAt: this.now() });
      else if (!isTerminal(job)) this.start(job);
    }
  }

  /** Runs a job to its end, which is found in its status. */
  start(job: Job): void {
    const abort = new AbortController();
    const done = this.run(job, abort.signal)
      // What fails because it was aborted says so in words of its own.
      .catch((error: unknown) => this.fail(job, abort.signal.aborted ? abort.signal.reason : error))
      .finally(() => this.running.delete(resourceKey(job.id)));
    this.running.set(resourceKey(job.id), { abort, done });
  }

  /** Asks a job to end as Canceled. */
  cancel(job: Job): void {
    this.update(job, { status: 'CancelRequested' });
    const running = this.running.get(resourceKey(job.id));
    if (running === undefined) this.update(job, { status: 'Canceled', endedAt: this.now() });
    else running.abort.abort(new JobStopped('cancel'));
  }

  /** Ends a job, however far it is, and forgets it. */
  async remove({ id }: Job): Promise<void> {
    const running = this.running.get(resourceKey(id));
    jobs(this.emulator).delete(resourceKey(id));
    running?.abort.abort(new JobStopped('cancel'));
    await running?.done;
  }

  private async close(): Promise<void> {
    const running = [...this.running.values()];
    for (const { abort } of running) abort.abort(new JobStopped('emulator'));
    await Promise.all(running.map(({ done }) => done));
  }

  private async run(job: Job, signal: AbortSignal): Promise<void> {
    const { clock } = this.emulator;
    const workspace = workspaces(this.emulator).get(resourceKey(job.workspace));
    if (workspace === undefined) throw new JobFailure('UserError', `Workspace ${job.workspace} is gone.`);
    await clock.sleep(jobStartSeconds, signal);
    this.enter(job, 'Preparing', signal);
    const environment = await this.prepare(job, workspace, signal);
    this.enter(job, 'Queued', signal);
    await clock.sleep(jobQueueSeconds, signal);
    if (job.fate === 'stuck') await untilAborted(signal);
    this.enter(job, 'Running', signal);
    if (typeof job.fate === 'object') throw new JobFailure(job.fate.code, job.fate.message);
    const directory = await this.makeDirectory(job);
    try {
      await this.execute(job, workspace, directory, environment, signal);
    } finally {
      await rm(directory.root, { recursive: true, force: true });
    }
    await clock.sleep(jobFinalizeSeconds, signal);
    this.update(job, { status: 'Completed', endedAt: this.now() });
  }

  private async prepare(job: Job, workspace: Workspace, signal: AbortSignal): Promise<PythonEnvironment> {
    const { properties } = assetOf(this.emulator, workspace, 'environments', job.definition.environmentId);
    const condaFile = typeof properties.condaFile === 'string' ? properties.condaFile : undefined;
    // A cancelled job does not wait for the build, which goes on for the next one.
    const environment = await Promise.race([this.environments.get(pipRequirements(condaFile)), untilAborted(signal)]);
    const log = await this.artifact(job, workspace, 'azureml-logs/20_image_build_log.txt');
    await log.uploadFile(environment.logFile, { abortSignal: signal });
    return environment;
  }

  private async execute(
    job: Job,
    workspace: Workspace,
    directory: JobDirectory,
    environment: PythonEnvironment,
    signal: AbortSignal,
  ): Promise<void> {
    const { command, codeId, inputs, outputs, limits } = job.definition;
    const limited = limits?.timeout === undefined ? signal : AbortSignal.any([signal, timeLimit(limits.timeout)]);
    const log = new LogMirror(directory.logFile, await this.artifact(job, workspace, 'user_logs/std_log.txt'));
    try {
      if (codeId) {
        const { properties } = assetOf(this.emulator, workspace, 'codes', codeId);
        const code = locate(this.emulator, this.blobs, workspace, String(properties.codeUri));
        await download(this.blobs, code, directory.code, limited);
      }
      const inputPaths = new Map<string, string>();
      for (const [name, { uri, value }] of Object.entries(inputs ?? {})) {
        if (uri === undefined) inputPaths.set(name, value ?? '');
        else {
          const from = locate(this.emulator, this.blobs, workspace, uri);
          const path = await download(this.blobs, from, join(directory.root, 'inputs', name), limited);
          inputPaths.set(name, pathInCommand(path, directory));
        }
      }
      const outputPaths = new Map<string, string>();
      for (const name of Object.keys(outputs ?? {})) {
        const path = join(directory.root, 'outputs', name);
        await mkdir(path, { recursive: true });
        outputPaths.set(name, pathInCommand(path, directory));
      }
      const line = substitute(command, { inputs: inputPaths, outputs: outputPaths });
      await runCommand(this.emulator, job, line, directory, environment.directory, limited);
      this.enter(job, 'Finalizing', signal);
      for (const name of outputPaths.keys()) {
        const path = join(directory.root, 'outputs', name);
        const uri = outputs?.[name]?.uri ?? defaultOutputUri(job, name);
        await upload(this.blobs, path, locate(this.emulator, this.blobs, workspace, uri), limited);
      }
    } catch (error) {
      throw limited.aborted ? limited.reason : error;
    } finally {
      await log.close();
    }
  }

  private async makeDirectory(job: Job): Promise<JobDirectory> {
    const hash = createHash('sha256').update(resourceKey(job.id)).digest('hex').slice(0, 16);
    const root = join(this.emulator.options.state, 'jobs', hash);
    await rm(root, { recursive: true, force: true });
    for (const name of ['code', 'inputs', 'outputs', 'home', 'tmp']) await mkdir(join(root, name), { recursive: true });
    return { root, code: join(root, 'code'), logFile: join(root, 'std_log.txt') };
  }

  private async artifact(job: Job, workspace: Workspace, name: string): Promise<ReturnType<typeof blockBlob>> {
    return blockBlob(await this.blobs.client(storageAccountOf(workspace)), `${artifactPrefix(job.name)}/${name}`);
  }

  private enter(job: Job, status: JobStatus, signal: AbortSignal): void {
    signal.throwIfAborted();
    this.update(job, { status, ...(status === 'Running' && { startedAt: this.now() }) });
    this.emulator.log.info({ job: job.name, status }, 'job');
  }

  private fail(job: Job, error: unknown): void {
    const endedAt = this.now();
    if (error instanceof JobStopped) {
      if (error.by === 'cancel') this.update(job, { status: 'Canceled', endedAt });
      return;
    }
    if (!(error instanceof JobFailure)) this.emulator.log.error({ err: error, job: job.name }, 'job broke');
    const code = error instanceof JobFailure ? error.code : 'InternalServerError';
    const message = error instanceof Error ? error.message : String(error);
    this.update(job, { status: 'Failed', error: { code, message }, endedAt });
  }

  private update(job: Job, change: Partial<Job>): void {
    const current = jobs(this.emulator).get(resourceKey(job.id));
    // Deleted meanwhile: it must not come back.
    if (current !== undefined) jobs(this.emulator).put(resourceKey(job.id), { ...current, ...change });
  }

  private now(): string {
    return this.emulator.clock.now().toISOString();
  }
}

function blockBlob(
  client: Awaited<ReturnType<BlobStore['client']>>,
  name: string,
): ReturnType<ReturnType<typeof client.getContainerClient>['getBlockBlobClient']> {
  return client.getContainerClient(artifactContainer).getBlockBlobClient(name);
}

function defaultOutputUri(job: Job, name: string): string {
  return `azureml://datastores/workspaceartifactstore/paths/${artifactPrefix(job.name)}/${name}`;
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.throwIfAborted();
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

function timeLimit(limit: string): AbortSignal {
  const abort = new AbortController();
  const failure = new JobFailure('UserError', `The job ran longer than its limit ${limit}.`);
  setTimeout(() => abort.abort(failure), timeoutMs(limit)).unref();
  return abort.signal;
}
