import type { Digest } from './digests.js';
import type { Identity } from './names.js';
import type { DeploymentSpec } from './spec.js';

/**
 * Where the source model comes from. Uploads lie in the workspace's default blob store under their digest; only the address
 * travels through the workflow.
 */
export type ModelSource =
  | { readonly kind: 'uploaded'; readonly path: string; readonly digest: Digest; readonly bytes: number }
  /** `version` is a number, or `latest`. */
  | { readonly kind: 'registered'; readonly name: string; readonly version: string };

/** A photo of the smoke step, uploaded under its digest. */
export interface SmokePhoto {
  /** File name, for people. */
  readonly name: string;
  readonly digest: Digest;
  /** Class that must be in the top-5. */
  readonly expect?: number;
}

/** Photos that int8 is calibrated on, uploaded as one folder under its digest: there may be hundreds. */
export interface CalibrationPhotos {
  /** Over the photos' contents, whatever their names are. */
  readonly digest: Digest;
  /** How many there are. */
  readonly count: number;
}

type ConversionSpec = DeploymentSpec['conversion'];

export interface QuantizeSettings extends Omit<NonNullable<ConversionSpec['quantize']>, 'calibration'> {
  readonly calibration: CalibrationPhotos;
}

/** How a model is converted: what the specification says, with an address in place of a directory. */
export interface ConversionSettings extends Omit<ConversionSpec, 'quantize'> {
  readonly quantize?: QuantizeSettings;
}

/** What is known of the source model before it is registered. */
export interface ModelInput {
  readonly source: ModelSource;
  readonly name: string;
  readonly description?: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly properties: Readonly<Record<string, string>>;
  readonly signature: string;
  readonly input: string;
  readonly outputs: readonly string[];
}

export interface ClusterInput {
  readonly name: string;
  readonly existing: boolean;
  /** Where the user wants it; absent: where the workspace is. */
  readonly region?: string;
  readonly vmSize: string;
  readonly nodeCount: number;
  readonly kubernetesVersion?: string;
}

/** Input of the `deploy` workflow: a deployment file whose paths have become addresses. Small, and free of secrets. */
export interface DeployInput {
  readonly identity: Identity;
  readonly model: ModelInput;
  readonly conversion: ConversionSettings;
  readonly cluster: ClusterInput;
  readonly scoring: DeploymentSpec['scoring'];
  readonly photos: readonly SmokePhoto[];
  readonly onFailure: DeploymentSpec['onFailure'];
  readonly patienceMinutes: number;
  readonly keepReleases: number;
  /** Whether the namespace has Slipway's search attributes. An unregistered one would block the workflow for ever. */
  readonly searchAttributes: boolean;
}

/** Input of the `teardown` workflow. */
export interface TeardownInput {
  readonly identity: Identity;
  /** Also deletes the cluster when this service's deployments created it and nothing else runs on it. */
  readonly withCluster: boolean;
  readonly searchAttributes: boolean;
}
