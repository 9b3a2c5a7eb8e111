import type { Image, ModelVersion, Score } from './activities.js';
import type { Digest } from './digests.js';
import type { Residue } from './progress.js';
import type { Kind, Step } from './steps.js';

/** How a deployment ended well: `unchanged` found its release live already, and changed nothing. */
export type DeployOutcome = 'deployed' | 'unchanged';

/** What a finished deployment answers. */
export interface DeployResult {
  readonly service: string;
  readonly outcome: DeployOutcome;
  readonly deploymentId: string;
  /** `host:port` of the public gRPC endpoint. */
  readonly address: string;
  readonly release: Digest;
  readonly image: Image;
  readonly source: ModelVersion;
  readonly converted: ModelVersion;
  readonly cluster: string;
  readonly scores: readonly Score[];
  readonly timings: readonly { readonly step: Step; readonly seconds: number }[];
  /** What is left of the releases before, where it could not be removed. */
  readonly residue: readonly Residue[];
}

/** How a run of a schedule ended well. One that failed fails its workflow, so that the schedule pauses. */
export type RedeployResult =
  | {
      readonly service: string;
      readonly outcome: DeployOutcome;
      /** The version that was the source model's latest: `name:version`. */
      readonly source: string;
      readonly release: Digest;
      readonly deploymentId: string;
    }
  /** `reason`: a change of the service was running, or it is not live. */
  | { readonly service: string; readonly outcome: 'skipped'; readonly reason: string };

/** What a finished teardown answers: what was removed, in that order, and what could not be. */
export interface TeardownResult {
  readonly service: string;
  readonly removed: readonly { readonly kind: Kind; readonly ids: readonly string[] }[];
  readonly residue: readonly Residue[];
  /** Why the cluster stayed, when it was asked to go. */
  readonly clusterHeldBy?: string;
}
