import type { Collection, Documents } from './documents.js';
import { longestTimerMs } from './limits.js';

/** A function that takes back what it was returned for. */
export type Cancel = () => void;

/**
 * The emulator's time. It runs with the machine's, ahead of it by what tests have advanced it, and the advance survives a restart.
 * Azure's recorded durations pass `timeScale` times faster.
 */
export class Clock {
  private readonly settings: Collection<number>;
  private readonly timers = new Set<Timer>();
  private advancedMs: number;

  constructor(
    documents: Documents,
    private readonly timeScale: number,
  ) {
    this.settings = documents.collection<number>('clock');
    this.advancedMs = this.settings.get('advanced-ms') ?? 0;
  }

  now(): Date {
    return new Date(Date.now() + this.advancedMs);
  }

  /** The moment at which something that Azure needs `seconds` for, begun now, is done here. */
  due(seconds: number): Date {
    return new Date(this.now().getTime() + this.scaled(seconds));
  }

  /** Waits `seconds` of Azure's time, scaled. Rejects with the signal's reason when that aborts first. */
  sleep(seconds: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const onAbort = (): void => {
        cancel();
        reject(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
      };
      const cancel = this.after(this.scaled(seconds), () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Calls `fn` when this clock (unscaled) has moved on by `ms`. */
  after(ms: number, fn: () => void): Cancel {
    const timer: Timer = { at: this.now().getTime() + ms, fn, handle: undefined };
    this.timers.add(timer);
    this.arm(timer);
    return () => this.drop(timer);
  }

  /** Moves the clock forward; what falls due meanwhile happens now. */
  advance(ms: number): void {
    this.advancedMs += ms;
    this.settings.put('advanced-ms', this.advancedMs);
    for (const timer of [...this.timers].sort((a, b) => a.at - b.at)) this.arm(timer);
  }

  /** Drops all that waits; used when the emulator stops. */
  stop(): void {
    for (const timer of [...this.timers]) this.drop(timer);
  }

  private scaled(seconds: number): number {
    return (seconds * 1000) / this.timeScale;
  }

  private arm(timer: Timer): void {
    clearTimeout(timer.handle);
    const remaining = Math.max(0, timer.at - this.now().getTime());
    if (remaining > longestTimerMs) {
      timer.handle = setTimeout(() => this.arm(timer), longestTimerMs);
      return;
    }
    timer.handle = setTimeout(() => {
      this.timers.delete(timer);
      timer.fn();
    }, remaining);
  }

  private drop(timer: Timer): void {
    clearTimeout(timer.handle);
    this.timers.delete(timer);
  }
}

interface Timer {
  at: number;
  fn: () => void;
  handle: NodeJS.Timeout | undefined;
}
