import { Context } from '@temporalio/activity';
import { z } from 'zod';

/**
 * Ids that a removal has taken away, over all its attempts. A removal looks until nothing is left, so the look that ends it
 * sees nothing: what the earlier ones removed is remembered in the heartbeat, which Temporal hands to the next attempt.
 */
export function removedSoFar(ids: Iterable<string> = []): string[] {
  const context = Context.current();
  const before = z.array(z.string()).catch([]).parse(context.info.heartbeatDetails);
  const all = [...new Set([...before, ...ids])];
  context.heartbeat(all);
  return all;
}
