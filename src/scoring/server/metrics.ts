import { status } from '@grpc/grpc-js';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

import { LATENCY_BUCKETS_SECONDS } from './limits.js';
import type { ServedModel } from './served-model.js';
import type { RunRecord } from './thread-pool.js';

/** What Prometheus reads at `/metrics`. */
export class Metrics {
  readonly registry = new Registry();
  private readonly registers = [this.registry];

  private readonly stages = new Histogram({
    name: 'slipway_scoring_stage_seconds',
    help: 'Time that a run of the model spent in each stage: queue, decode, preprocess, inference',
    labelNames: ['stage'],
    buckets: LATENCY_BUCKETS_SECONDS,
    registers: this.registers,
  });

  private readonly rows = new Histogram({
    name: 'slipway_scoring_batch_images',
    help: 'Images in one run of the model',
    buckets: [1, 2, 4, 8],
    registers: this.registers,
  });

  private readonly calls = new Histogram({
    name: 'slipway_scoring_call_seconds',
    help: 'Time from a call to its answer, by protocol, method and status code',
    labelNames: ['protocol', 'method', 'code'],
    buckets: LATENCY_BUCKETS_SECONDS,
    registers: this.registers,
  });

  private readonly rejected = new Counter({
    name: 'slipway_scoring_rejected_calls_total',
    help: 'Calls that were not answered OK, by status code',
    labelNames: ['code'],
    registers: this.registers,
  });

  private readonly threadFailures = new Counter({
    name: 'slipway_scoring_thread_failures_total',
    help: 'Inference threads that ended by themselves and were replaced',
    registers: this.registers,
  });

  private readonly model = new Gauge({
    name: 'slipway_scoring_model_info',
    help: 'The model that this server has: 1, with its name, version and digest',
    labelNames: ['name', 'version', 'digest'],
    registers: this.registers,
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** Shows the model, and how many images wait for a thread. */
  showModel({ name, version }: ServedModel, digest: string, queuedImages: () => number): void {
    this.model.set({ name, version: String(version), digest }, 1);
    new Gauge({
      name: 'slipway_scoring_queued_images',
      help: 'Images that no inference thread has begun',
      registers: this.registers,
      collect() {
        this.set(queuedImages());
      },
    });
  }

  countRun({ queue, decode, preprocess, inference, rows }: RunRecord): void {
    for (const [stage, milliseconds] of Object.entries({ queue, decode, preprocess, inference })) {
      this.stages.observe({ stage }, milliseconds / 1000);
    }
    this.rows.observe(rows);
  }

  /** @param milliseconds from the call to its answer */
  countCall(protocol: 'grpc' | 'rest', method: string, code: status, milliseconds: number): void {
    this.calls.observe({ protocol, method, code: status[code] }, milliseconds / 1000);
    if (code !== status.OK) this.countRejection(code);
  }

  /** A call that was refused before it was read. */
  countRejection(code: status): void {
    this.rejected.inc({ code: status[code] });
  }

  countThreadFailure(): void {
    this.threadFailures.inc();
  }
}
