import type { Clock } from '../../core/clock.js';
import { backOffResetSeconds, backOffSeconds, shortestBackOffMs } from '../limits.js';

/** Pauses that double with every use, on the scaled clock but never shorter than is reasonable. */
export class BackOff {
  private nextSeconds = backOffSeconds.first;

  constructor(private readonly clock: Clock) {}

  /** Waits the next pause; returns early when the signal aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    const seconds = this.nextSeconds;
    this.nextSeconds = Math.min(this.nextSeconds * 2, backOffSeconds.longest);
    const scaledMs = this.clock.due(seconds).getTime() - this.clock.now().getTime();
    await new Promise<void>((resolve) => {
      if (signal.aborted) {
        resolve();
        return;
      }
      const finish = () => {
        cancel();
        signal.removeEventListener('abort', finish);
        resolve();
      };
      const cancel = this.clock.after(Math.max(shortestBackOffMs, scaledMs), finish);
      signal.addEventListener('abort', finish, { once: true });
    });
  }

  /** Begins again with the first pause after something went well since `since`. */
  resetIfLasted(since: Date): void {
    const lasted = this.clock.now().getTime() - since.getTime();
    const needed = this.clock.due(backOffResetSeconds).getTime() - this.clock.now().getTime();
    if (lasted >= needed) this.nextSeconds = backOffSeconds.first;
  }
}
