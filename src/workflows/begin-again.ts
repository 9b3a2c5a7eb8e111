import { sleep } from '@temporalio/workflow';
import { detailOf, isTransientEnd } from './failure.js';
import { BEGIN_AGAIN_AFTER, MAX_BEGINS } from './timeouts.js';

/**
 * Begins an operation and awaits its end; when it ended as failed for a transient reason (allocation, preemption, an
 * internal error of the service) it is begun again after a pause, {@link MAX_BEGINS} times in all.
 *
 * @param once begins and awaits; gets the attempt, from 1
 */
export async function beginAgain<T>(once: (attempt: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await once(attempt);
    } catch (error) {
      if (attempt >= MAX_BEGINS || !isTransientEnd(error)) throw error;
      await sleep(BEGIN_AGAIN_AFTER, { summary: `Begin again after ${detailOf(error).code}` });
    }
  }
}
