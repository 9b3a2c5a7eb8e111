import type { PendingWait, Snapshot } from '../../client.js';
import { shortId } from '../../deployment/names.js';
import type { Progress, StepProgress, UndoProgress } from '../../deployment/progress.js';
import { oneLine } from './symbols.js';

/** One line of what is shown: a step, or the removal of one kind. */
export interface Row {
  /** Tells rows of equal names apart: `undo image` is not the step `image`. */
  readonly key: string;
  readonly name: string;
  readonly state: StepProgress['state'] | UndoProgress['state'];
  /** What came of it, or what it waits for. */
  readonly note: string;
  readonly startedAt?: number;
  readonly endedAt?: number;
}

/** The step table. */
export function stepRows({ progress, waits }: Snapshot): Row[] {
  return (progress?.steps ?? []).map((step) => ({
    key: step.name,
    name: step.name,
    state: step.state,
    note: step.detail ?? (step.state === 'running' ? waitNote(waits, step.name, false) : ''),
    ...(step.startedAt === undefined ? {} : { startedAt: step.startedAt }),
    ...(step.endedAt === undefined ? {} : { endedAt: step.endedAt }),
  }));
}

/** The undo of a deployment, or the removals of a teardown. */
export function undoRows({ progress, waits }: Snapshot): Row[] {
  return (progress?.undo ?? []).map((undo) => ({
    key: `undo ${undo.kind}`,
    name: undo.kind,
    state: undo.state,
    note: undo.reason ?? (undo.state === 'running' ? waitNote(waits, undo.kind, true) : removedNote(undo)),
  }));
}

function removedNote({ state, removed }: UndoProgress): string {
  if (state !== 'removed') return '';
  return removed.length === 0 ? 'nothing was there' : removed.map(shortId).join(', ');
}

/** What the pending activity of a row says, or said when it was last tried. */
function waitNote(waits: readonly PendingWait[], row: string, isRemoval: boolean): string {
  const wait = waits.find(({ of, activity }) => of === row && activity.startsWith('remove') === isRemoval);
  if (wait?.doing) return oneLine(wait.doing);
  if (!wait?.message) return '';
  const attempts = wait.attempt > 2 ? ` (look ${wait.attempt})` : '';
  return `${oneLine(wait.message)}${attempts}`;
}

/** The headline of a state. */
export function headline({ service, state, steps, failure }: Progress): string {
  const change = steps.length > 0 ? 'deployment' : 'teardown';
  const texts: Record<Progress['state'], string> = {
    running: `Deploying ${service}`,
    undoing: `Undoing the deployment of ${service}`,
    deployed: `${service} is deployed`,
    unchanged: `${service} is unchanged: ${steps.find(({ state }) => state === 'skipped')?.detail ?? ''}`,
    failed: `The ${change} of ${service} failed`,
    cancelled: `The ${change} of ${service} was cancelled`,
    deleting: `Deleting ${service}`,
    deleted: `${service} is deleted`,
  };
  return failure ? `${texts[state]}: ${failure.code}` : texts[state];
}
