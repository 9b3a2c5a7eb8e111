import { Context } from '@temporalio/activity';
import { HEARTBEAT_SECONDS } from './intervals.js';

/** Says what an activity that works in the worker itself is at: text for people, in the pending activity's heartbeat. */
export interface Heartbeat {
  /** Another phase begins: said at once. */
  enter(phase: string): void;
  /** It has got on: said with the next heartbeat. */
  update(phase: string): void;
}

/** Tells Temporal at short intervals that the work goes on, and what it is at. */
export async function withHeartbeat<T>(work: (heartbeat: Heartbeat) => Promise<T>): Promise<T> {
  const context = Context.current();
  let phase = 'starting';
  const beat = (): void => context.heartbeat(phase);
  const update = (next: string): void => {
    phase = next;
  };
  const timer = setInterval(beat, HEARTBEAT_SECONDS * 1000);
  try {
    return await work({
      update,
      enter: (next) => {
        update(next);
        beat();
      },
    });
  } finally {
    clearInterval(timer);
  }
}
