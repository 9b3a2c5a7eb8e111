import type { Progress, Residue, PhotoScore } from '../../client.js';

/** The last line of `npm run demo -- --json`. */
export interface DemoReport {
  readonly ok: boolean;
  readonly steps: readonly { readonly name: string; readonly state: string; readonly seconds: number }[];
  readonly scores: readonly PhotoScore[];
  /** Kinds in the order in which they were removed. */
  readonly teardown: readonly string[];
  readonly residue: readonly Residue[];
}

/** The step table of a deployment that has ended. Steps that never ran took no time. */
export function reportedSteps(progress: Progress | undefined): DemoReport['steps'] {
  return (progress?.steps ?? []).map(({ name, state, startedAt, endedAt }) => ({
    name,
    state,
    seconds: startedAt === undefined || endedAt === undefined ? 0 : (endedAt - startedAt) / 1000,
  }));
}
