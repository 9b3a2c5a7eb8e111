import { ruleFor } from '../../azure/failure-rules.js';
import { isForbidden } from '../../azure/failures.js';
import { SlipwayError } from '../../deployment/errors.js';

/** What the checks of a preflight found, gathered so that all of it is told at once. */
export class Findings {
  private readonly problems: SlipwayError[] = [];
  /** Reads that Azure did not answer, whose outcome is not known. */
  private readonly unanswered: unknown[] = [];
  private readonly notChecked = new Set<string>();

  /** Runs a check that throws what is wrong. */
  async look(check: () => Promise<void> | void): Promise<void> {
    try {
      await check();
    } catch (error) {
      if (error instanceof SlipwayError) this.problems.push(error);
      else this.unanswered.push(error);
    }
  }

  /** Reads what a deployment itself does not need to read: who may not goes without the check. */
  async mayRead<T>(what: string, read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (!isForbidden(error)) throw error;
      this.notChecked.add(what);
      return undefined;
    }
  }

  get unchecked(): string[] {
    return [...this.notChecked];
  }

  /**
   * What stands in the way, if anything does: first what waiting does not mend. Several problems become one error, under the
   * code of the first.
   */
  get failure(): unknown {
    const lasting = this.problems.filter(({ code, message }) => ruleFor(code, message).class !== 'retrySlowly');
    const [first, ...others] = lasting.length > 0 ? lasting : this.problems;
    if (first === undefined) return this.unanswered[0];
    if (others.length === 0) return first;
    const all = [first, ...others];
    const fix = all.flatMap((problem) => problem.fix ?? []).join(' ');
    return new SlipwayError(first.code, all.map(({ message }) => message).join('. '), fix === '' ? {} : { fix });
  }
}
