import { status } from '@grpc/grpc-js';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

import type { OutputRows, StageTimes } from './image-model.js';
import type { Batch } from './batch.js';
import { MAX_THREAD_FAILURES, THREAD_CLOSE_MS, THREAD_FAILURE_WINDOW_MS, type BatchLimits } from './limits.js';
import { mergeTasks, RunQueue, splitRows, type Job, type Rejection } from './run-queue.js';
import { StatusError } from './status-error.js';
import type { Answer, ThreadData } from './thread-messages.js';

/** The jobs that a thread is scoring in one run of the model. */
interface Run {
  jobs: Job[];
  startedAt: number;
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

/** Inference threads, each with its own copy of the model and one task at a time; what they cannot take yet waits in a queue. */
export class ThreadPool {
  private readonly idle: Worker[] = [];
  private readonly busy = new Map<Worker, Run>();
  private readonly queue = new RunQueue();
  private readonly threads = new Set<Worker>();
  private readonly loading = new Set<Promise<void>>();
  private failures: number[] = [];
  private closing = false;
  private onIdle: (() => void) | undefined;
  private patience: NodeJS.Timeout | undefined;

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
    return this.queue.size;
  }

  /** From now on one run of the model may score the images of several requests. */
  batch(limits: BatchLimits): void {
    this.queue.batch(limits);
  }

  /**
   * Scores images in one run of the model, when a thread is free; after {@link batch} perhaps together with those of others.
   *
   * @param request whatever tells the runs of one request from others, for {@link withdraw}
   * @throws StatusError INTERNAL when the model or its thread fails, UNAVAILABLE when closed, or why it was withdrawn
   */
  run(task: Batch, request: object): Promise<OutputRows[] | Rejection> {
    return new Promise((resolve, reject) => {
      if (this.closing) return reject(new StatusError(status.UNAVAILABLE, 'the server is stopping'));
      this.queue.push({ task, request, queuedAt: performance.now(), resolve, reject });
      this.dispatch();
    });
  }

  /** Takes the runs of a request that have not begun out of the queue. */
  withdraw(request: object, reason: StatusError): void {
    for (const job of this.queue.remove(request)) job.reject(reason);
  }

  /**
   * Ends the threads, each after the run that it is in: a thread that is ended inside the native library aborts the process.
   * Runs that have not begun are rejected with UNAVAILABLE.
   */
  async close(): Promise<void> {
    this.closing = true;
    clearTimeout(this.patience);
    this.refuseQueued();
    const idle = new Promise<void>((resolve) => (this.busy.size > 0 ? (this.onIdle = resolve) : resolve()));
    await Promise.race([
      Promise.all([idle, Promise.allSettled(this.loading)]),
      sleep(THREAD_CLOSE_MS, undefined, { ref: false }),
    ]);
    await Promise.all([...this.threads].map((thread) => thread.terminate()));
  }

  private dispatch(): void {
    clearTimeout(this.patience);
    const now = performance.now();
    while (this.idle.length > 0) {
      const jobs = this.queue.take(now);
      if (jobs.length === 0) break;
      const thread = this.idle.pop();
      if (thread) this.startRun(thread, { jobs, startedAt: now });
    }
    const delay = this.idle.length > 0 ? this.queue.delay(now) : undefined;
    if (delay !== undefined) this.patience = setTimeout(() => this.dispatch(), delay);
  }

  private startRun(thread: Worker, run: Run): void {
    this.busy.set(thread, run);
    const task = mergeTasks(run.jobs);
    const rows = task.rows.map(ownMemory);
    thread.postMessage(
      { ...task, rows },
      rows.map((row) => row.buffer),
    );
  }

  private refuseQueued(): void {
    for (const job of this.queue.remove()) job.reject(new StatusError(status.UNAVAILABLE, 'the server is stopping'));
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
    const run = this.busy.get(thread);
    if (!run) return;
    this.busy.delete(thread);
    this.resolve(run, answer);
    if (this.busy.size === 0) this.onIdle?.();
  }

  private resolve({ jobs, startedAt }: Run, answer: Answer): void {
    if (answer.kind === 'scored') {
      const rows = jobs.reduce((sum, { task }) => sum + task.rows.length, 0);
      this.options.onRun?.({ ...answer.times, rows, queue: startedAt - (jobs[0]?.queuedAt ?? startedAt) });
      splitRows(answer.outputs, jobs).forEach((outputs, at) => jobs[at]?.resolve(outputs));
    } else if (answer.kind === 'rejected') {
      const [only, ...others] = jobs;
      // Which images go together is chance: what one of them does to the run must not be the others' answer.
      if (others.length > 0) this.queue.pushAlone(jobs);
      else only?.resolve({ index: answer.index, reason: answer.reason });
      if (this.closing) this.refuseQueued();
    } else if (answer.kind === 'failed') {
      for (const job of jobs) job.reject(new StatusError(status.INTERNAL, answer.reason));
    }
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
