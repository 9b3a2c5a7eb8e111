import { CancelledFailure, WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { FailureType, SlipwayError, type FailureDetail } from '../deployment/errors.js';
import type { Identity } from '../deployment/names.js';
import type { Residue } from '../deployment/progress.js';

/** How a deployment or teardown that did not reach its end ended. */
export class ChangeFailed extends SlipwayError {
  /** Kinds that were undone, in order. */
  readonly undone: readonly string[];
  /** What is ours and could not be removed. */
  readonly residue: readonly Residue[];
  readonly detail: FailureDetail;
  readonly cancelled: boolean;

  constructor(
    detail: FailureDetail,
    rest: { undone?: readonly string[]; residue?: readonly Residue[]; cancelled?: boolean },
  ) {
    super(detail.code, detail.message, detail.fix === undefined ? {} : { fix: detail.fix });
    this.name = 'ChangeFailed';
    this.detail = detail;
    this.undone = rest.undone ?? [];
    this.residue = rest.residue ?? [];
    this.cancelled = rest.cancelled ?? false;
  }
}

/** A change of the service runs already. One service, one change at a time: Temporal is the lock. */
export class ChangeRunning extends SlipwayError {
  constructor(
    readonly service: string,
    readonly workflowId: string,
  ) {
    super('ChangeRunning', `A change of ${service} is running (workflow ${workflowId})`, {
      fix: `Watch it with \`slipway watch ${service}\`, or end it with \`slipway cancel ${service}\`.`,
    });
    this.name = 'ChangeRunning';
  }
}

/** Temporal keeps no change of a service. */
export function unknownService({ service, workspaceName }: Pick<Identity, 'service' | 'workspaceName'>): SlipwayError {
  return new SlipwayError('UnknownService', `Temporal knows of no change of ${service} in ${workspaceName}`, {
    fix: '`slipway list` names the services that it knows.',
  });
}

/** What a workflow's end says, as one of our errors; an error that is none of its ends is returned as it is. */
export function changeFailure(error: unknown): unknown {
  if (!(error instanceof WorkflowFailedError)) return error;
  const { cause } = error;
  if (cause instanceof ApplicationFailure) {
    const [detail, rest] = cause.details ?? [];
    const known = cause.type === FailureType.DeploymentFailed || cause.type === FailureType.DeploymentFailedWithResidue;
    // The workflow writes both details; see workflows/failure.ts.
    if (known) return new ChangeFailed(detail as FailureDetail, rest as { undone: string[]; residue: Residue[] });
    return new ChangeFailed({ code: cause.type ?? 'Unknown', message: cause.message }, {});
  }
  if (cause instanceof CancelledFailure) {
    return new ChangeFailed({ code: 'Cancelled', message: 'It was cancelled' }, { cancelled: true });
  }
  return new ChangeFailed({ code: 'Ended', message: cause?.message ?? error.message }, {});
}
