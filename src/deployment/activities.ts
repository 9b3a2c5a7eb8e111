import type { Digest } from './digests.js';
import type { ClusterInput, DeployInput, ModelInput, SmokePhoto } from './input.js';
import type { LastDeployment } from './last-deployment.js';
import type { Identity } from './names.js';
import type { Kind } from './steps.js';

/** The workspace and what a deployment needs of it. Ids are ARM ids. */
export interface Workspace {
  readonly id: string;
  readonly name: string;
  readonly resourceGroup: string;
  readonly subscriptionId: string;
  readonly region: string;
  readonly storageAccountId: string;
  readonly containerRegistryId: string;
}

/** A version of a registered model. */
export interface ModelVersion {
  readonly name: string;
  readonly version: string;
  /** ARM id of the version. */
  readonly id: string;
  /** Where the content lies: an `azureml://` datastore address. */
  readonly url: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** Digest of the content. A foreign registered model without one has a digest over its immutable id. */
  readonly digest: Digest;
}

/** A conversion that was begun. */
export interface ConversionStart {
  /** Digest over source, settings, photos, code and tool versions: equal conversions share their result. */
  readonly digest: Digest;
  /** Name of the Azure ML job, or null when the result of an equal conversion is there already. */
  readonly jobName: string | null;
}

export interface Image {
  readonly repository: string;
  /** The release's tag. */
  readonly tag: string;
  /** Digest of the manifest in the registry. */
  readonly digest: Digest;
  /** Digest over everything that makes the release; see design 3.10. */
  readonly releaseDigest: Digest;
}

/** A class of an answer; `confidence` is what the model gave, in 0…1 for a softmax. */
export interface ScoredClass {
  readonly index: number;
  readonly label: string;
  readonly confidence: number;
}

export interface Score {
  /** File name of the photo. */
  readonly image: string;
  readonly top5: readonly ScoredClass[];
}

export interface Release {
  /** Name of the Deployment, the candidate Service and the Secret. */
  readonly name: string;
  readonly digest: Digest;
}

/** Everything that names a release, for the steps that place and check it. */
export interface ReleaseInput {
  readonly identity: Identity;
  readonly workspace: Workspace;
  readonly cluster: ClusterInput;
  readonly scoring: DeployInput['scoring'];
  readonly image: Image;
  readonly source: ModelVersion;
  readonly converted: ModelVersion;
}

export interface SmokeInput extends ReleaseInput {
  readonly model: ModelInput;
  readonly photos: readonly SmokePhoto[];
}

/** A release that the public Service selects and that was scored through its address. */
export interface LiveRelease {
  /** `host:port` of the public gRPC endpoint. */
  readonly address: string;
  readonly scores: readonly Score[];
}

/** What a removal is about. Undo goes by deterministic names and marks, never by an id that a begin returned. */
export interface RemovalInput {
  readonly identity: Identity;
  /** `deployment`: only what this deployment made. `service`: what any deployment of the service made. */
  readonly scope: 'deployment' | 'service';
  /** Name of the cluster, where it is known from the input; a teardown finds it by its tag. */
  readonly cluster?: Pick<ClusterInput, 'name' | 'existing'>;
  /** Name of the source model of the deployment; of a service, all models that carry its mark are meant. */
  readonly modelName?: string;
  /**
   * Milliseconds since the epoch. Until then an absent resource may still appear, because a request whose reply was lost
   * could still commit: absence is believed only after it.
   */
  readonly absentAfter?: number;
  /**
   * True when the cluster is removed later in the same undo, if its mark is ours: then what lives in it goes with it and
   * need not be reached first. The activity reads the mark; the workflow only says what comes later.
   */
  readonly clusterGoesToo?: boolean;
}

/** What a removal removed (ids; empty when there was nothing of ours), as far as this look could see. */
export interface Removal {
  readonly removed: readonly string[];
}

/**
 * Every activity of a deployment: what the workflows call and the activities room implements. Each may throw an
 * ApplicationFailure whose type is a `FailureType` or a fatal code, with a `FailureDetail` as its first detail.
 *
 * `begin…` sends one idempotent request under a deterministic name; `await…` looks once and throws `StillRunning` until the
 * thing is ready; `remove…` looks once, deletes what is ours, and throws `StillPresent` until it is gone.
 */
export interface DeploymentActivities {
  getWorkspace(input: { identity: Identity }): Promise<Workspace>;

  /** Checks, by reading alone, what would make the deployment fail after it has begun to create things. */
  preflight(input: PreflightInput): Promise<Preflight>;

  registerModel(input: {
    identity: Identity;
    workspace: Workspace;
    model: ModelInput;
    cluster: ClusterInput;
  }): Promise<ModelVersion>;

  beginConversion(input: ConversionInput & { attempt: number }): Promise<ConversionStart>;
  awaitConversion(input: { identity: Identity; jobName: string }): Promise<void>;
  registerConvertedModel(
    input: ConversionInput & { conversion: ConversionStart; cluster: ClusterInput },
  ): Promise<ModelVersion>;

  pushImage(input: {
    identity: Identity;
    workspace: Workspace;
    scoring: DeployInput['scoring'];
    converted: ModelVersion;
    source: ModelVersion;
  }): Promise<Image>;

  beginCluster(input: {
    identity: Identity;
    workspace: Workspace;
    cluster: ClusterInput;
  }): Promise<{ clusterId: string }>;
  awaitCluster(input: { identity: Identity; cluster: ClusterInput }): Promise<{ clusterId: string; detail: string }>;
  grantPull(input: { identity: Identity; workspace: Workspace; cluster: ClusterInput }): Promise<void>;

  /**
   * Whether the release is live, whole and ready, answers through its public address as its SavedModel did, and has nothing
   * beside it that would be retired; null when not. Reads only.
   */
  checkLive(input: SmokeInput & { keepReleases: number }): Promise<LiveRelease | null>;

  beginRelease(input: ReleaseInput): Promise<Release>;
  awaitRelease(input: ReleaseInput): Promise<void>;

  smokeScore(input: SmokeInput): Promise<readonly Score[]>;

  /** Points the public Service at the release, remembering on it what it pointed at before. */
  beginSwitch(input: ReleaseInput): Promise<void>;
  /** Waits for the public address and for the release behind it; returns `host:port`. */
  awaitSwitch(input: ReleaseInput): Promise<{ address: string }>;
  /** Scores the photos through the public address, from outside. */
  scorePublic(input: SmokeInput & { address: string }): Promise<readonly Score[]>;
  /** Drains and removes releases that the public Service no longer selects, images and models beyond `keepReleases` included. */
  retireReleases(input: ReleaseInput & { keepReleases: number }): Promise<{ retired: readonly string[] }>;

  /** Points the public Service back at the release before (if it points at this deployment's), then removes Deployment, Services and Secret. */
  removeService(input: RemovalInput): Promise<Removal>;
  removeRoleAssignment(input: RemovalInput): Promise<Removal>;
  removeImage(input: RemovalInput): Promise<Removal>;
  removeRegisteredModel(input: RemovalInput): Promise<Removal>;
  removeConvertedModel(input: RemovalInput): Promise<Removal>;
  /** Finds the jobs by their owner tag (a lost reply never told their names), cancels, then deletes them. */
  removeJob(input: RemovalInput): Promise<Removal>;
  /** Deletes a cluster that is ours; an adopted one is never touched. */
  removeCluster(input: RemovalInput): Promise<Removal>;

  /** What a schedule's run deploys again: what the newest deployment that went live was started with, as Temporal remembers. */
  findLastDeployment(input: { identity: Identity }): Promise<LastDeployment>;
  /** The latest version of a registered model. */
  findLatestModel(input: { identity: Identity; name: string }): Promise<ModelVersion>;

  /** What a teardown of the service must look at: whether there is one, and the cluster it runs on, found by its marks. */
  findService(input: { identity: Identity }): Promise<ServiceLocation>;
}

export interface PreflightInput {
  readonly identity: Identity;
  readonly workspace: Workspace;
  readonly model: ModelInput;
  readonly settings: DeployInput['conversion'];
  readonly cluster: ClusterInput;
  readonly scoring: DeployInput['scoring'];
  /** Minutes to wait for quota and permissions, as long as nothing else is wrong. */
  readonly patienceMinutes: number;
}

/** What a preflight that found nothing wrong says. */
export interface Preflight {
  /** What could not be checked, because the caller may not read it: `quota`, `permissions`, … */
  readonly unchecked: readonly string[];
}

export interface ConversionInput {
  readonly identity: Identity;
  readonly workspace: Workspace;
  readonly source: ModelVersion;
  readonly model: ModelInput;
  readonly settings: DeployInput['conversion'];
  readonly photos: readonly SmokePhoto[];
}

export interface ServiceLocation {
  readonly cluster?: Pick<ClusterInput, 'name' | 'existing'>;
  /** Whether anything that carries the service's mark was found. */
  readonly found: boolean;
  /** Why the cluster must stay even with `--with-cluster`: adopted, or others run on it. */
  readonly clusterHeldBy?: string;
}

/** The activity that removes each kind. */
export const REMOVALS = {
  service: 'removeService',
  'role-assignment': 'removeRoleAssignment',
  image: 'removeImage',
  'registered-model': 'removeRegisteredModel',
  'converted-model': 'removeConvertedModel',
  job: 'removeJob',
  cluster: 'removeCluster',
} as const satisfies Record<Kind, keyof DeploymentActivities>;
