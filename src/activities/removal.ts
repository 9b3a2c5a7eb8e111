import { Context } from '@temporalio/activity';
import { z } from 'zod';
import type { RemovalInput } from '../deployment/activities.js';
import { isOfDeployment, isOfService } from '../deployment/names.js';
import { stillPresent, type Attempt } from './failure.js';

/** What each attempt that runs in this process has removed so far. */
const removedBy = new WeakMap<Context, ReadonlySet<string>>();

/**
 * Ids that a removal has taken away, `ids` included, over all its attempts. A removal looks until nothing is left, so the
 * look that ends it sees nothing: what the earlier ones removed is remembered in the heartbeat, which Temporal hands to the
 * next attempt.
 */
export function removedSoFar(ids: Iterable<string> = []): string[] {
  const context = Context.current();
  const before = removedBy.get(context) ?? z.array(z.string()).catch([]).parse(context.info.heartbeatDetails);
  const all = new Set([...before, ...ids]);
  removedBy.set(context, all);
  context.heartbeat([...all]);
  return [...all];
}

/** Whether a mark is within what a removal is about. */
export function isInScope(mark: string | undefined, { identity, scope }: RemovalInput): boolean {
  return scope === 'service' ? isOfService(mark, identity) : isOfDeployment(mark, identity);
}

/** Does not believe in an absence while a request whose reply was lost could still commit. */
export function requireAbsence({ absentAfter = 0 }: RemovalInput, what: string, attempt: Attempt): void {
  const left = absentAfter - Date.now();
  if (left <= 0) return;
  const message = `${what} is not there; a request without a reply could still create it`;
  throw stillPresent(message, { ...attempt, retryAfterSeconds: left / 1000 });
}
