import { ApplicationFailure, log, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { clipMessage, FailureType } from '../deployment/errors.js';
import type { DeployInput } from '../deployment/input.js';
import { serviceWorkflowId } from '../deployment/names.js';
import type { Residue } from '../deployment/progress.js';
import type { RedeployResult } from '../deployment/result.js';
import { detailOf, thrownBy } from './failure.js';
import { KEYS } from '../deployment/search-attributes.js';

type Ended = Exclude<RedeployResult, { outcome: 'skipped' }>;

/** How far a redeploy is, as Temporal's UI (current details, search attributes) and the worker's log show it. */
export class RedeployStatus {
  private readonly service: string;

  constructor(private readonly scheduled: DeployInput) {
    this.service = scheduled.identity.service;
    this.say('running', `looking for the latest version of the source model of ${this.service}`);
  }

  running(source: string): void {
    this.say('running', `${source} is deployed by \`${serviceWorkflowId(this.scheduled.identity)}\``);
  }

  ended(result: Ended): Ended {
    this.say(result.outcome, `${result.source}, release ${result.release}`);
    return result;
  }

  skipped(reason: string): RedeployResult {
    this.say('skipped', reason);
    return { service: this.service, outcome: 'skipped', reason };
  }

  /** The cancellation itself: Temporal is told that it was one. */
  cancelled(error: unknown): unknown {
    this.say('cancelled', 'what was begun was undone');
    return error;
  }

  /** What the run fails with, and its schedule pauses with. */
  failed(error: unknown): ApplicationFailure {
    const detail = detailOf(error);
    const residue = residueOf(error);
    const left = residue.map(({ kind, ids }) => [kind, ...ids].join(' ')).join('; ');
    // What could not be taken out of the service may stand in the old release's place.
    const end = residue.some(({ kind }) => kind === 'service') ? 'the service is not as it was' : 'old release kept';
    const message = `${end}: ${detail.code}: ${detail.message}${left ? ` Not undone: ${left}` : ''}`;
    this.say('failed', message);
    return ApplicationFailure.create({
      type: FailureType.RedeployFailed,
      message: clipMessage(`failed, ${message}`),
      nonRetryable: true,
      details: [detail],
    });
  }

  private say(state: 'running' | 'failed' | 'cancelled' | RedeployResult['outcome'], text: string): void {
    log.info('redeploy', { service: this.service, state, detail: text });
    setCurrentDetails(`**${state}**: ${text}`);
    if (!this.scheduled.searchAttributes) return;
    upsertSearchAttributes([
      { key: KEYS.service, value: this.service },
      { key: KEYS.state, value: state },
    ]);
  }
}

/** What the deployment could not undo: it says so in the second detail of its failure. */
function residueOf(error: unknown): readonly Residue[] {
  const [, rest] = thrownBy(error)?.details ?? [];
  // The workflow `deploy` writes it; see deploymentFailed.
  return (rest as { residue?: readonly Residue[] } | undefined)?.residue ?? [];
}
