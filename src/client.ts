import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { openBlobStore } from './azure/blobs.js';
import { connectToAzure, type AzureConnection } from './azure/connection.js';
import type { OnTransfer } from './azure/transfer.js';
import { getWorkspace, type WorkspacePlace } from './azure/workspace.js';
import { asking } from './client/azure-failures.js';
import {
  latestChange,
  listChanges,
  liveDeployment,
  requireNoOtherChange,
  startChange,
  startedDeployment,
  type Change,
} from './client/changes.js';
import { deployInput } from './client/deploy-input.js';
import { unknownService } from './client/failures.js';
import type { ChangeHandle, DeploymentHandle, TeardownHandle } from './client/handle.js';
import { rotateKeys, showKeys, type RotatedKey, type ServiceKeys } from './client/keys.js';
import { AZURE_TIMEOUT_MS } from './client/limits.js';
import { liveModel, scoringAccess } from './client/live-service.js';
import * as listings from './client/listings.js';
import { Schedules } from './client/schedules.js';
import { scorePhotos, type PhotoScore } from './client/score.js';
import { parseSpec, readSpec } from './client/spec-file.js';
import { missingWorker } from './client/task-queue.js';
import { connectToTemporal, hasSearchAttributes } from './client/temporal.js';
import { readFiles, upload } from './client/uploads.js';
import { findWorkspaceConfig, readWorkspaceConfig, noWorkspaceConfig } from './client/workspace-config.js';
import type { Workspace } from './deployment/activities.js';
import { identify } from './deployment/identity.js';
import type { TeardownInput } from './deployment/input.js';
import type { Identity } from './deployment/names.js';
import type { DeploymentSpecInput } from './deployment/spec.js';
import type { TlsOptions } from './scoring/client/channel.js';

export type { Change } from './client/changes.js';
export type * from './client/listings.js';
export { ChangeFailed, ChangeRunning } from './client/failures.js';
export type { ChangeHandle, ChangeResults, DeploymentHandle, TeardownHandle } from './client/handle.js';
export type { RotatedKey, ServiceKeys } from './client/keys.js';
export type { PhotoScore } from './client/score.js';
export type { ScheduledRun } from './client/scheduled-run.js';
export type { Schedule, ScheduleTimes } from './client/schedules.js';
export type { PendingWait, Snapshot } from './client/snapshot.js';
export type { Transfer } from './azure/transfer.js';
export type { WorkspacePlace } from './azure/workspace.js';
export type { Score, ScoredClass } from './deployment/activities.js';
export { SlipwayError } from './deployment/errors.js';
export type { Progress, Residue } from './deployment/progress.js';
export type { DeployResult, RedeployResult, TeardownResult } from './deployment/result.js';
export type { DeploymentSpecInput } from './deployment/spec.js';
export type { DetectedBox } from './scoring/client/boxes.js';
export type { ServerOptions, TlsOptions } from './scoring/client/channel.js';
export type { ConnectionProblem } from './scoring/client/connection-problem.js';
export type { AnsweringModel, ModelMetadata, TensorDescription } from './scoring/client/model-metadata.js';
export { PredictClient } from './scoring/client/predict-client.js';
export type { CallOptions, Prediction, PredictClientOptions, PredictOptions } from './scoring/client/predict-client.js';
export { PredictError } from './scoring/client/predict-error.js';
export type { FileOptions, FileScore } from './scoring/client/score-files.js';
export type { FloatTensor, TensorType } from './scoring/client/tensors.js';
export { topK, type RankedClass } from './scoring/client/top-k.js';

export interface ConnectOptions {
  /** The workspace, or the name of its `config.json`; default: the one that is found in the working directory or above it. */
  readonly workspace?: WorkspacePlace | string;
  /** Where `TEMPORAL_*`, `AZURE_*` and `SLIPWAY_*` are read from; default: the process's environment. */
  readonly environment?: NodeJS.ProcessEnv;
}

export interface StartOptions {
  /** Makes a repeated start the same deployment, even when that has ended; default: a new one. */
  readonly deploymentId?: string;
  /** What paths in the specification are relative to; default: the file's directory, or the working directory. */
  readonly directory?: string;
  /** Told how far the upload is, in bytes: first once it is known what there is to send. */
  readonly onUpload?: OnTransfer;
}

export interface ScoreOptions {
  /** `host:port`; default: as the newest deployment said. Nothing is then read from Azure. */
  readonly address?: string;
  /** Scoring key; default: read from the cluster. */
  readonly key?: string;
  /** With `address`: the server speaks TLS. Without it, what is given here wins over what the cluster says. */
  readonly tls?: TlsOptions;
  /** Name of the model, with `address`; default: the service's name. */
  readonly model?: string;
  /** Classes or boxes for each photo; default: 5. */
  readonly top?: number;
}

/** Deploys, watches, scores and deletes the services of one workspace. */
export class SlipwayClient {
  /** Redeploys at given times. */
  readonly schedules: Schedules;

  private constructor(
    private readonly temporal: Client,
    private readonly azure: AzureConnection,
    private readonly workspace: WorkspacePlace | undefined,
  ) {
    this.schedules = new Schedules(temporal, () => this.place());
  }

  /**
   * Connects to Temporal and prepares the connection to Azure.
   *
   * @throws SlipwayError `TemporalUnreachable`, `TemporalRefused`, `NamespaceNotFound`, `InvalidEnvironment`,
   *   `InvalidWorkspaceConfig`
   */
  static async connect({ workspace, environment = process.env }: ConnectOptions = {}): Promise<SlipwayClient> {
    const azure = connectToAzure(environment);
    const named = typeof workspace === 'string' ? await readWorkspaceConfig(workspace) : workspace;
    const place = named ?? (await findWorkspaceConfig(process.cwd()));
    return new SlipwayClient(await connectToTemporal(environment), azure, place);
  }

  /** Ends the connection to Temporal. What was started goes on. */
  async close(): Promise<void> {
    await this.temporal.connection.close();
  }

  /**
   * Uploads what a deployment needs and starts it.
   *
   * @param source a specification, or the name of a deployment file
   * @throws SlipwayError when it is refused: `InvalidSpec`, `NotASavedModel`, Azure's own codes, …; ChangeRunning when a
   *   change of that service runs already
   */
  async startDeployment(source: DeploymentSpecInput | string, options: StartOptions = {}): Promise<DeploymentHandle> {
    const located =
      typeof source === 'string' ? await readSpec(source) : parseSpec(source, options.directory ?? process.cwd());
    const { spec } = located;
    const identity = this.identify(spec.service, options.deploymentId);
    if (options.deploymentId !== undefined) {
      const started = await startedDeployment(this.temporal, identity);
      if (started) return started;
    }
    const files = await readFiles(located);
    await requireNoOtherChange(this.temporal, identity);
    const { uploads, region } = await asking(async () => {
      const workspace = await this.readWorkspace();
      const store = await openBlobStore(this.azure, workspace, AbortSignal.timeout(AZURE_TIMEOUT_MS));
      return { uploads: await upload(spec, files, store, options.onUpload), region: workspace.region };
    });
    const input = deployInput(spec, identity, uploads, await hasSearchAttributes(this.temporal));
    const summary = `Deploy ${spec.service} to ${identity.workspaceName}, ${region}`;
    return startChange(this.temporal, 'deploy', input, summary);
  }

  /** Starts the removal of a service, and with `withCluster` of the cluster that was created for it. Its schedule ends. */
  async startTeardown(service: string, { withCluster = false } = {}): Promise<TeardownHandle> {
    const identity = this.identify(service);
    const searchAttributes = await hasSearchAttributes(this.temporal);
    const input: TeardownInput = { identity, withCluster, searchAttributes };
    const summary = `Delete ${service} from ${identity.workspaceName}`;
    const handle = await startChange(this.temporal, 'teardown', input, summary);
    await this.schedules.deleteIfPresent(service);
    return handle;
  }

  /**
   * The newest change of a service: one that runs, or the last one.
   *
   * @throws SlipwayError `UnknownService`
   */
  async getDeployment(service: string): Promise<ChangeHandle> {
    const identity = this.identify(service);
    try {
      return await latestChange(this.temporal, identity);
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      throw unknownService(identity);
    }
  }

  /** What to say when no worker would take a change up; undefined when one polls. */
  missingWorker(): Promise<string | undefined> {
    return missingWorker(this.temporal);
  }

  /** The newest change of every service of the workspace, newest first. */
  listChanges(): Promise<Change[]> {
    return listChanges(this.temporal, this.place());
  }

  /** The services of the workspace, and whether each is live. */
  listServices(): Promise<listings.ListedService[]> {
    return listings.listServices(this.access());
  }

  /** The changes of a service that Temporal keeps, newest first. @throws SlipwayError `UnknownService` */
  listHistory(service: string, { limit }: { limit?: number } = {}): Promise<listings.PastChange[]> {
    return listings.listHistory(this.access(), service, limit);
  }

  /** The images of the workspace's services, or those that match. */
  listImages(filter: listings.ImageFilter = {}): Promise<listings.ListedImage[]> {
    return listings.listImages(this.access(), filter);
  }

  /** The models that Slipway registered, and with `all` every model of the workspace. */
  listModels({ all = false } = {}): Promise<listings.ListedModels> {
    return listings.listModels(this.access(), all);
  }

  /** One registered model, whoever registered it. @throws SlipwayError `ModelNotFound` */
  getModel(name: string): Promise<listings.ListedModel> {
    return listings.getModel(this.access(), name);
  }

  /**
   * What the conversion of a deployment has printed; of the newest one, when none is named.
   *
   * @throws SlipwayError `UnknownService`, `DeploymentNotFound`, `NoConversionLog`
   */
  readConversionLog(service: string, options: { deploymentId?: string } = {}): Promise<listings.ConversionLog> {
    return listings.readConversionLog(this.access(), service, options.deploymentId);
  }

  /**
   * How the image of a release was built; of the live one, when none is named by its digest.
   *
   * @throws SlipwayError `NotLive`, `ReleaseNotFound`, `NoBuildLog`
   */
  readImageLog(service: string, options: { release?: string } = {}): Promise<listings.ImageLog> {
    return listings.readImageLog(this.access(), service, options.release);
  }

  /** What the pods of the live release have printed. @throws SlipwayError `NotLive`, `NoPods`, `NoPodLog` */
  readServiceLog(service: string, options: listings.PodLogOptions = {}): Promise<listings.ServiceLog> {
    return listings.readServiceLog(this.access(), service, options);
  }

  /** The keys that a live service accepts. @throws SlipwayError `NotLive`, `NoKeys` */
  showKeys(service: string): Promise<ServiceKeys> {
    return showKeys(this.access(), service);
  }

  /**
   * Makes a new key. `primary` (the default): the one that was primary becomes the secondary, so that callers who have it
   * can change over. Pods take up new keys within about a minute.
   *
   * @throws SlipwayError `NotLive`, `NoKeys`, `Conflict` when someone else rotated at the same time
   */
  rotateKeys(service: string, which: 'primary' | 'secondary' = 'primary'): Promise<RotatedKey> {
    return rotateKeys(this.access(), service, which);
  }

  /**
   * Scores photos, JPEGs or PNGs, with a live service, through its public address.
   *
   * @param photos file names
   * @returns the best classes of each photo, or the surest boxes of a detector, in the order of the photos
   * @throws SlipwayError as {@link scorePhotos} does, `NotLive`
   */
  async score(service: string, photos: readonly string[], options: ScoreOptions = {}): Promise<PhotoScore[]> {
    const { address, key, model, tls, top } = options;
    const given = { ...(key ? { keys: [key] } : {}), ...(tls ? { tls } : {}) };
    if (address !== undefined) return scorePhotos({ address, model: model ?? service, ...given }, photos, top);
    const identity = this.identify(service);
    const live = await liveDeployment(this.temporal, identity);
    const [known, access] = await asking(() =>
      Promise.all([liveModel(this.azure, identity, live), scoringAccess(this.azure, identity, live)]),
    );
    const secured = access.tls && { tls: { ...access.tls, ...tls } };
    const endpoint = { address: live.address, model: model ?? live.source.name, ...known, ...access, ...given };
    return scorePhotos({ ...endpoint, ...secured }, photos, top);
  }

  /** The identity of a service of the workspace, and of a new or given deployment of it. */
  identify(service: string, deploymentId?: string): Identity {
    return identify({ ...this.place(), service }, deploymentId);
  }

  private access(): listings.WorkspaceAccess {
    return { temporal: this.temporal, azure: this.azure, place: this.place() };
  }

  private readWorkspace(): Promise<Workspace> {
    return getWorkspace(this.azure, this.place(), AbortSignal.timeout(AZURE_TIMEOUT_MS));
  }

  private place(): WorkspacePlace {
    if (this.workspace) return this.workspace;
    throw noWorkspaceConfig([process.cwd()]);
  }
}
