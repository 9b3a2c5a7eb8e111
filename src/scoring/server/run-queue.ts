import { sizeOf, type Batch } from './batch.js';
import type { OutputRows } from './image-model.js';
import type { BatchLimits } from './limits.js';

/** An image of a task that cannot be scored; `index` counts within the task. */
export interface Rejection {
  index: number;
  reason: string;
}

/** Images of one request that wait for a thread, or are being scored. */
export interface Job {
  task: Batch;
  request: object;
  queuedAt: number;
  /** Never together with other jobs: it was, and one of them could not be scored. */
  alone?: boolean;
  resolve(outcome: OutputRows[] | Rejection): void;
  reject(error: Error): void;
}

/** Jobs in the order in which they came, which leave it one by one, or several at a time for one run of the model. */
export class RunQueue {
  private jobs: Job[] = [];
  private limits: BatchLimits = { images: 1, waitMs: 0 };

  /** From now on jobs whose images fit into one run of the model leave together, and wait for others for a bounded time. */
  batch(limits: BatchLimits): void {
    this.limits = limits;
  }

  /** Images that wait, and their bytes. */
  get size(): { images: number; bytes: number } {
    const total = { images: 0, bytes: 0 };
    for (const { task } of this.jobs) {
      total.images += task.rows.length;
      total.bytes += sizeOf(task);
    }
    return total;
  }

  push(job: Job): void {
    this.jobs.push(job);
  }

  /** Puts back what was taken, to be scored next, each job without others. */
  pushAlone(jobs: readonly Job[]): void {
    this.jobs.unshift(...jobs.map((job) => ({ ...job, alone: true })));
  }

  /** @returns the jobs of the next run; none when there is none, or when it is better to wait for {@link delay} */
  take(now: number): Job[] {
    const jobs = this.next();
    if (this.remaining(jobs, now) > 0) return [];
    this.jobs = this.jobs.filter((job) => !jobs.includes(job));
    return jobs;
  }

  /** @returns milliseconds until {@link take} gives what waits, whatever comes; undefined when nothing waits */
  delay(now: number): number | undefined {
    return this.jobs.length > 0 ? this.remaining(this.next(), now) : undefined;
  }

  /** Takes out the jobs of a request, or all. */
  remove(request?: object): Job[] {
    const removed = this.jobs.filter((job) => request === undefined || job.request === request);
    this.jobs = this.jobs.filter((job) => !removed.includes(job));
    return removed;
  }

  /** The oldest job, and those after it whose images fit into the same run. */
  private next(): Job[] {
    const [oldest] = this.jobs;
    if (!oldest || oldest.alone) return oldest ? [oldest] : [];
    const together: Job[] = [];
    let images = 0;
    for (const job of this.jobs) {
      if (images >= this.limits.images) break;
      const fits = together.length === 0 || images + job.task.rows.length <= this.limits.images;
      if (!fits || job.alone || !sameShape(job.task, oldest.task)) continue;
      together.push(job);
      images += job.task.rows.length;
    }
    return together;
  }

  /** Milliseconds for which the jobs should still wait for others. */
  private remaining(jobs: readonly Job[], now: number): number {
    const [oldest] = jobs;
    if (!oldest || oldest.alone) return 0;
    const images = jobs.reduce((sum, { task }) => sum + task.rows.length, 0);
    return images >= this.limits.images ? 0 : Math.max(0, oldest.queuedAt + this.limits.waitMs - now);
  }
}

/** Whether the images of both are JPEGs, or tensors of one shape. */
function sameShape(one: Batch, other: Batch): boolean {
  return one.shape?.join() === other.shape?.join();
}

/** One task with the images of all. */
export function mergeTasks(jobs: readonly Job[]): Batch {
  const shape = jobs[0]?.task.shape;
  return { rows: jobs.flatMap(({ task }) => task.rows), ...(shape ? { shape } : {}) };
}

/** Each job's part of the rows that the model gave for all of them. */
export function splitRows(outputs: readonly OutputRows[], jobs: readonly Job[]): OutputRows[][] {
  let at = 0;
  return jobs.map(({ task }) => {
    const [first, count] = [at, task.rows.length];
    at += count;
    return outputs.map(({ name, shape: [rows = 1, ...shape], bytes }) => {
      const rowBytes = bytes.byteLength / rows;
      return { name, shape: [count, ...shape], bytes: bytes.subarray(first * rowBytes, (first + count) * rowBytes) };
    });
  });
}
