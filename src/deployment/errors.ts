/**
 * Failure types that the workflow itself decides on; every other type of failure is a fatal code (Azure's, Kubernetes' or
 * ours) and ends the deployment. They travel as `ApplicationFailure.type`.
 */
export const FailureType = {
  /** Benign: what is awaited still runs. The message is its state; Temporal looks again. */
  StillRunning: 'StillRunning',
  /** Benign: what is being removed is still there, or a lost request could still create it. */
  StillPresent: 'StillPresent',
  /** The operation ended as failed for a transient reason: the workflow begins it again, a bounded number of times. */
  OperationFailed: 'OperationFailed',
  /** Something of our name exists and does not carry our mark: it is never touched. */
  NameConflict: 'NameConflict',
  /** The deployment failed and everything that was begun was undone. */
  DeploymentFailed: 'DeploymentFailed',
  /** The deployment failed and something could not be undone: it is listed as residue. */
  DeploymentFailedWithResidue: 'DeploymentFailedWithResidue',
  /** A run of a schedule failed; what was live before serves on. */
  RedeployFailed: 'RedeployFailed',
} as const;

/** What happened, in parts that a person and a program can both use. First element of `ApplicationFailure.details`. */
export interface FailureDetail {
  /** Stable code: Azure's own code where it has one, else ours (`PodCrashed`, `ModelDigestMismatch`, …). */
  readonly code: string;
  /** What happened and why, in one or two sentences; at most 2 KB with the last lines of a log in it. */
  readonly message: string;
  /** How to mend it, where we know. */
  readonly fix?: string;
  /** Resource or file that it is about. */
  readonly resource?: string;
  /** Azure's request id, for its support. */
  readonly requestId?: string;
  /**
   * True when the service itself answered the only request that was sent with a refusal, or when we decided so ourselves by
   * what it answered: no request can still commit. Absent or false: a lost request may still create something.
   */
  readonly rejected?: boolean;
}

/** Longest message that may enter a workflow's history, in UTF-16 units: histories end at 2 MB a payload, and logs are blobs. */
export const MESSAGE_LIMIT = 2048;

/** Keeps the end of a message that is too long: the last lines of a log say why. */
export function clipMessage(message: string, limit = MESSAGE_LIMIT): string {
  return message.length <= limit ? message : `…${message.slice(message.length - limit + 1)}`;
}

/** An error of ours with a stable code and a way to mend it. */
export class SlipwayError extends Error {
  readonly code: string;
  readonly fix: string | undefined;

  constructor(code: string, message: string, options: { fix?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'SlipwayError';
    this.code = code;
    this.fix = options.fix;
  }
}
