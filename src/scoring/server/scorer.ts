import { status } from '@grpc/grpc-js';

import { sizeOf, type Batch } from './batch.js';
import type { OutputRows } from './image-model.js';
import { MAX_MESSAGE_BYTES, MAX_ROWS_PER_RUN, type QueueLimits } from './limits.js';
import type { Rejection } from './run-queue.js';
import { invalidArgument, queueFull, resourceExhausted, StatusError } from './status-error.js';
import type { ThreadPool } from './thread-pool.js';

/** What a request gets: one row per image and output, in the order of the images. */
export type Scores = OutputRows[];

/** Divides a request's images over the inference threads and puts the rows together again. */
export class Scorer {
  constructor(
    private readonly pool: ThreadPool,
    private readonly inputName: string,
    private readonly limits: QueueLimits,
  ) {}

  /**
   * Scores at least one image.
   *
   * @throws StatusError INVALID_ARGUMENT naming the first image that cannot be scored, RESOURCE_EXHAUSTED when the queue is
   *   full, DEADLINE_EXCEEDED when no thread was free in time, INTERNAL when the model fails, CANCELLED when `signal` aborts
   */
  async score(batch: Batch, signal?: AbortSignal): Promise<Scores> {
    this.admit(batch);
    const rowsPerRun = Math.min(MAX_ROWS_PER_RUN, Math.ceil(batch.rows.length / this.pool.size));
    const runs = divide(batch, rowsPerRun).map((part) => this.pool.run(part, batch));
    const withdraw = () => this.pool.withdraw(batch, new StatusError(status.CANCELLED, 'the call was cancelled'));
    signal?.addEventListener('abort', withdraw);
    const { seconds } = this.limits;
    const giveUp = () => {
      const late = new StatusError(status.DEADLINE_EXCEEDED, `waited for ${seconds} s while other images were scored`);
      this.pool.withdraw(batch, late);
    };
    const patience = setTimeout(giveUp, seconds * 1000);
    // All runs are awaited, so that of several bad images the first one is named, whichever thread was faster.
    const outcomes = await Promise.allSettled(runs);
    clearTimeout(patience);
    signal?.removeEventListener('abort', withdraw);
    return concatenate(outcomes.map((outcome, run) => this.rowsOf(outcome, run * rowsPerRun)));
  }

  /** @param first index in the request of the run's first image */
  private rowsOf(outcome: PromiseSettledResult<OutputRows[] | Rejection>, first: number): OutputRows[] {
    if (outcome.status === 'rejected') throw outcome.reason;
    if (Array.isArray(outcome.value)) return outcome.value;
    const { index, reason } = outcome.value;
    throw invalidArgument(`${this.inputName}[${first + index}]: ${reason}`);
  }

  private admit(batch: Batch): void {
    const size = sizeOf(batch);
    // A shape can repeat one image as often as it likes.
    if (size > MAX_MESSAGE_BYTES)
      throw resourceExhausted(`the images are over the limit of ${MAX_MESSAGE_BYTES} bytes`);
    const { images, bytes } = this.pool.queued;
    if (images === 0) return;
    if (images + batch.rows.length > this.limits.images) {
      throw queueFull(`${images} images are waiting, the limit is ${this.limits.images}`);
    }
    if (bytes + size > this.limits.bytes) {
      throw queueFull(`images of ${bytes} bytes are waiting, the limit is ${this.limits.bytes}`);
    }
  }
}

function divide({ rows, shape }: Batch, rowsPerRun: number): Batch[] {
  const parts: Batch[] = [];
  for (let at = 0; at < rows.length; at += rowsPerRun) {
    parts.push({ rows: rows.slice(at, at + rowsPerRun), ...(shape ? { shape } : {}) });
  }
  return parts;
}

function concatenate(parts: OutputRows[][]): OutputRows[] {
  const [first = []] = parts;
  return first.map(({ name, shape }, output) => {
    const rows = parts.map((part) => part[output]).filter((part) => part !== undefined);
    const count = rows.reduce((sum, part) => sum + (part.shape[0] ?? 0), 0);
    return { name, shape: [count, ...shape.slice(1)], bytes: Buffer.concat(rows.map((part) => part.bytes)) };
  });
}
