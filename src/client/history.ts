import type { Client } from '@temporalio/client';
import pLimit from 'p-limit';
import { z } from 'zod';
import { identify } from '../deployment/identity.js';
import { startedEvent } from '../deployment/last-deployment.js';
import { changesOf, type Change } from './changes.js';
import { ChangeFailed, changeFailure, unknownService } from './failures.js';
import { HISTORY_LIMIT, PARALLEL_READS } from './limits.js';
import { askTemporal } from './temporal.js';
import type { WorkspaceAccess } from './workspace-access.js';

/** A change of a service, and how it ended. */
export interface PastChange extends Change {
  /** How it ended: `deployed`, `unchanged`, `deleted`, `failed`, `cancelled`, `terminated`, …; `running` while it does. */
  readonly end: string;
  /** Why it failed. */
  readonly failure?: { readonly code: string; readonly message: string };
  /** Digest of the release that it made live. */
  readonly release?: string;
  /** `name:version` of the registered model of that release. */
  readonly model?: string;
  /** What started it: the workflow that it is a child of, or the process, as `pid@host`. */
  readonly startedBy?: string;
}

/** What a history shows of a workflow's answer; answers of other releases of Slipway may have more or less. */
const Answer = z.object({
  outcome: z.string().optional(),
  release: z.string().optional(),
  source: z.object({ name: z.string(), version: z.string() }).optional(),
});

/**
 * The changes of a service that Temporal keeps, newest first.
 *
 * @param limit at most so many
 * @throws SlipwayError `UnknownService` when there is none
 */
export async function listHistory(
  { temporal, place }: WorkspaceAccess,
  service: string,
  limit = HISTORY_LIMIT,
): Promise<PastChange[]> {
  const identity = identify({ ...place, service });
  return askTemporal(async () => {
    const changes: Change[] = [];
    for await (const change of changesOf(temporal, identity)) {
      if (changes.push(change) >= limit) break;
    }
    if (changes.length === 0) throw unknownService(identity);
    const atOnce = pLimit(PARALLEL_READS);
    return Promise.all(changes.map((change) => atOnce(() => withEnd(temporal, change))));
  });
}

async function withEnd(client: Client, change: Change): Promise<PastChange> {
  const [startedBy, end] = await Promise.all([starterOf(client, change), endOf(client, change)]);
  return { ...change, ...end, ...(startedBy === undefined ? {} : { startedBy }) };
}

async function endOf(
  client: Client,
  change: Change,
): Promise<Pick<PastChange, 'end' | 'failure' | 'release' | 'model'>> {
  const { workflowId, runId, state } = change;
  if (state === 'running') return { end: 'running' };
  try {
    const answer = Answer.safeParse(await client.workflow.getHandle(workflowId, runId, { followRuns: false }).result());
    const { outcome, release, source } = answer.data ?? {};
    return {
      end: change.change === 'teardown' ? 'deleted' : (outcome ?? 'deployed'),
      ...(release === undefined ? {} : { release }),
      ...(source === undefined ? {} : { model: `${source.name}:${source.version}` }),
    };
  } catch (error) {
    const failure = changeFailure(error);
    if (!(failure instanceof ChangeFailed)) throw error;
    if (failure.cancelled) return { end: 'cancelled' };
    const { code, message } = failure.detail;
    return { end: state === 'terminated' ? 'terminated' : 'failed', failure: { code, message } };
  }
}

async function starterOf(client: Client, change: Change): Promise<string | undefined> {
  const started = await startedEvent(client, change);
  return started?.parentWorkflowExecution?.workflowId ?? started?.identity ?? undefined;
}
