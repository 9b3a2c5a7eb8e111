import { status } from '@grpc/grpc-js';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

import type { OutputRows, StageTimes } from './image-model.js';
import { MAX_THREAD_FAILURES, THREAD_CLOSE_MS, THREAD_FAILURE_WINDOW_MS } from './limits.js';
import { StatusError } from './status-error.js';
import { sizeOf, type Batch } from './batch.js';
import type { Answer, ThreadData } from './thread-messages.js';

/** An image of a task that cannot be scored; `index` counts within the task. */
export interface Rejection {
  index: number;
  reason: string;
}

interface Job {
  task: Batch;
  request: object;
  bytes: number;
  queuedAt: number;
  resolve(outcome: OutputRows[] | Rejection): void;
  reject(error: Error): void;
}

/** How one run of the model went, in milliseconds. */
export interface RunRecord extends StageTimes {
  rows: number;
  queue: number;
}

export interface ThreadPoolOptions {
  /** The module that a thread runs. */
  script: URL;
  threads: number;
  data: ThreadData;
  onRun?(run: RunRecord): void;
  /** A thread ended by itself and is being replaced. */
  onThreadFailure(error: Error): void;
  /** Threads keep ending: the pool has closed and scores nothing more. */
  onExhausted(): void;
}

/** Inference threads, each with its own copy of the model and one task at a time; the others wait in a queue. */
export class ThreadPool {
  private readonly idle: Worker[] = [];
  private readonly busy = new Map<Worker, Job & { startedAt: number }>();
  private queue: Job[] = [];
  private readonly threads = new Set<Worker>();
  private readonly loading = new Set<Promise<void>>();
  private failures: number[] = [];
  private closing = false;
  private onIdle: (() => void) | undefined;

  private constructor(private readonly options: ThreadPoolOptions) {}

  /**
   * Starts the threads; resolves when each has loaded the model.
   *
   * @throws Error when a thread cannot load the model
   */
  static async start(options: ThreadPoolOptions): Promise<ThreadPool> {
    const pool = new ThreadPool(options);
    const starts = await Promise.allSettled(Array.from({ length: options.threads }, () => pool.startThread()));
    const failed = starts.find((start) => start.status === 'rejected');
    if (!failed) return pool;
    await pool.close();
    throw failed.reason;
  }

  get size(): number {
    return this.options.threads;
  }

  /** Images that no thread has begun, and their bytes. */
  get queued(): { images: number; bytes: number } {
    const total = { images: 0, bytes: 0 };
    for (const { task, bytes } of this.queue) {
      total.images += task.rows.length;
      total.bytes += bytes;
    }
    return total;
  }

  /**
   * Scores images in one run of the model, when a thread is free.
   *
   * @param request whatever tells the runs of one request from others, for {@link withdraw}
   * @throws StatusError INTERNAL when the model or its thread fails, UNAVAILABLE when closed, or why it was withdrawn
   */
  run(task: Batch, request: object): Promise<OutputRows[] | Rejection> {
    return new Promise((resolve, reject) => {
      if (this.closing) return reject(new StatusError(status.UNAVAILABLE, 'the server is stopping'));
      this.queue.push({ task, request, bytes: sizeOf(task), queuedAt: performance.now(), resolve, reject });
      this.dispatch();
    });
  }

  /** Takes the runs of a request that have not begun out of the queue. */
  withdraw(request: object, reason: StatusError): void {
    const withdrawn = this.queue.filter((job) => job.request === request);
    this.queue = this.queue.filter((job) => job.request !== request);
    for (const job of withdrawn) job.reject(reason);
  }

  /**
   * Ends the threads, each after the run that it is in: a thread that is ended inside the native library aborts the process.
   * Runs that have not begun are rejected with UNAVAILABLE.
   */
  async close(): Promise<void> {
    this.closing = true;
    for (const job of this.queue.splice(0)) job.reject(new StatusError(status.UNAVAILABLE, 'the server is stopping'));
    const idle = new Promise<void>((resolve) => (this.busy.size > 0 ? (this.onIdle = resolve) : resolve()));
    await Promise.race([
      Promise.all([idle, Promise.allSettled(this.loading)]),
      sleep(THREAD_CLOSE_MS, undefined, { ref: false }),
    ]);
    await Promise.all([...this.threads].map((thread) => thread.terminate()));
  }

  private dispatch(): void {
    while (this.queue.length > 0) {
      const thread = this.idle.pop();
      if (!thread) return;
      const job = this.queue.shift();
      if (!job) return;
      this.busy.set(thread, { ...job, startedAt: performance.now() });
      const rows = job.task.rows.map(ownMemory);
      thread.postMessage(
        { ...job.task, rows },
        rows.map((row) => row.buffer),
      );
    }
  }

  private startThread(): Promise<void> {
    const loaded = this.loadThread().finally(() => this.loading.delete(loaded));
    this.loading.add(loaded);
    return loaded;
  }

  private loadThread(): Promise<void> {
    return new Promise((resolve, reject) => {
      const thread = new Worker(this.options.script, { workerData: this.options.data });
      let loaded = false;
      let cause: Error | undefined;
      this.threads.add(thread);
      thread.on('message', (answer: Answer) => {
        if (answer.kind === 'loaded') {
          loaded = true;
          resolve();
        }
        this.settle(thread, answer);
        this.idle.push(thread);
        this.dispatch();
      });
      thread.on('error', (error) => (cause = error));
      thread.on('exit', (code) => {
        this.threads.delete(thread);
        const error = cause ?? new Error(`an inference thread ended with code ${code}`);
        if (loaded) this.replace(thread, error);
        else reject(error);
      });
    });
  }

  private settle(thread: Worker, answer: Answer): void {
    const job = this.busy.get(thread);
    if (!job) return;
    this.busy.delete(thread);
    if (answer.kind === 'scored') {
      this.options.onRun?.({ ...answer.times, rows: job.task.rows.length, queue: job.startedAt - job.queuedAt });
      job.resolve(answer.outputs);
    }
    if (answer.kind === 'rejected') job.resolve({ index: answer.index, reason: answer.reason });
    if (answer.kind === 'failed') job.reject(new StatusError(status.INTERNAL, answer.reason));
    if (this.busy.size === 0) this.onIdle?.();
  }

  private replace(thread: Worker, error: Error): void {
    const at = this.idle.indexOf(thread);
    if (at >= 0) this.idle.splice(at, 1);
    this.settle(thread, { kind: 'failed', reason: `the inference thread ended: ${error.message}` });
    if (this.closing) return;
    this.options.onThreadFailure(error);
    const now = Date.now();
    this.failures = [...this.failures.filter((time) => now - time < THREAD_FAILURE_WINDOW_MS), now];
    if (this.failures.length > MAX_THREAD_FAILURES) return this.giveUp();
    this.startThread().catch(() => this.giveUp());
  }

  private giveUp(): void {
    void this.close().then(() => this.options.onExhausted());
  }
}

/**
 * A copy with a buffer of its own, which moves to a thread: a request's images are views of one big buffer. It is made only when
 * a thread takes the images, so that what waits is in memory once.
 */
function ownMemory(row: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.prototype.slice.call(row);
}
