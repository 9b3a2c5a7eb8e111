import { status } from '@grpc/grpc-js';

import type { OutputRows } from './image-model.js';
import { MAX_QUEUED_IMAGES, MAX_ROWS_PER_RUN } from './limits.js';
import { invalidArgument, StatusError } from './status-error.js';
import type { Rejection, ThreadPool } from './thread-pool.js';

/** What a request gets: one row per image and output, in the order of the images. */
export type Scores = OutputRows[];

/** Divides a request's images over the inference threads and puts the rows together again. */
export class Scorer {
  constructor(
    private readonly pool: ThreadPool,
    private readonly inputName: string,
  ) {}

  /**
   * Scores at least one image.
   *
   * @throws StatusError INVALID_ARGUMENT naming the first image that is no JPEG, RESOURCE_EXHAUSTED when the queue is
   *   full, INTERNAL when the model fails, CANCELLED when `signal` aborts
   */
  async score(images: Uint8Array[], signal?: AbortSignal): Promise<Scores> {
    this.admit(images.length);
    const rowsPerRun = Math.min(MAX_ROWS_PER_RUN, Math.ceil(images.length / this.pool.size));
    const runs: Promise<OutputRows[] | Rejection>[] = [];
    for (let at = 0; at < images.length; at += rowsPerRun) {
      runs.push(this.pool.run(images.slice(at, at + rowsPerRun).map(ownMemory), images));
    }
    const withdraw = () => this.pool.withdraw(images);
    signal?.addEventListener('abort', withdraw);
    // All runs are awaited, so that of several bad images the first one is named, whichever thread was faster.
    const outcomes = await Promise.allSettled(runs);
    signal?.removeEventListener('abort', withdraw);
    const parts = outcomes.map((outcome, run) => {
      if (outcome.status === 'rejected') throw outcome.reason;
      if (Array.isArray(outcome.value)) return outcome.value;
      const { index, reason } = outcome.value;
      throw invalidArgument(`${this.inputName}[${run * rowsPerRun + index}]: ${reason}`);
    });
    return concatenate(parts);
  }

  private admit(images: number): void {
    const queued = this.pool.queuedImages;
    if (queued > 0 && queued + images > MAX_QUEUED_IMAGES) {
      throw new StatusError(
        status.RESOURCE_EXHAUSTED,
        `${queued} images are waiting, the limit is ${MAX_QUEUED_IMAGES}`,
      );
    }
  }
}

/** A copy with a buffer of its own: a request's images are views of one big buffer, which could not move to several threads. */
function ownMemory(image: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.prototype.slice.call(image);
}

function concatenate(parts: OutputRows[][]): OutputRows[] {
  const [first = []] = parts;
  return first.map(({ name, shape }, output) => {
    const rows = parts.map((part) => part[output]).filter((part) => part !== undefined);
    const count = rows.reduce((sum, part) => sum + (part.shape[0] ?? 0), 0);
    return { name, shape: [count, ...shape.slice(1)], bytes: Buffer.concat(rows.map((part) => part.bytes)) };
  });
}
