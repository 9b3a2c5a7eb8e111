import { status } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';

import { PredictClient } from '../../src/scoring/client/predict-client.js';
import { ConvertedModelManifest } from '../../src/deployment/converted-model.js';
import type { BatchLimits } from '../../src/scoring/server/limits.js';
import { Scorer } from '../../src/scoring/server/scorer.js';
import { ThreadPool } from '../../src/scoring/server/thread-pool.js';
import { GOLDENS } from '../fixtures/scoring-goldens.js';
import manifest from '../fixtures/scoring-model/manifest.json' with { type: 'json' };
import { bundleScoringRuntime, ScoringProcess } from '../fixtures/scoring-server.js';

const THREAD = new URL('../fixtures/obedient-thread.mjs', import.meta.url);
/** Longer than any test: a batch that is not full is not scored. */
const FOREVER_MS = 600_000;

async function startPool(limits: BatchLimits) {
  const runs: number[] = [];
  const pool = await ThreadPool.start({
    script: THREAD,
    threads: 1,
    data: { directory: '', manifest: ConvertedModelManifest.parse(manifest), intraOpThreads: 1, maxPixels: 1 },
    onRun: ({ rows }) => runs.push(rows),
    onThreadFailure: () => undefined,
    onExhausted: () => undefined,
  });
  onTestFinished(() => pool.close());
  pool.batch(limits);
  const scorer = new Scorer(pool, 'images', { images: 100, bytes: 1000, seconds: 30 });
  const score = async (...rows: string[]) => {
    const [output] = await scorer.score({ rows: rows.map((row) => Buffer.from(row)) });
    return Buffer.from(output?.bytes ?? []).toString();
  };
  return { pool, runs, score, scorer };
}

describe('with batching, images of different requests', () => {
  it('are scored in one run as soon as it is full, and each answer goes to its request', async () => {
    const { runs, score } = await startPool({ images: 4, waitMs: FOREVER_MS });
    await expect(Promise.all([score('a1'), score('a2', 'a3'), score('a4')])).resolves.toEqual(['a1', 'a2a3', 'a4']);
    expect(runs).toEqual([4]);
  });

  it('are scored when the first has waited for its time, full or not', async () => {
    const { runs, score } = await startPool({ images: 8, waitMs: 50 });
    await expect(Promise.all([score('a1'), score('a2')])).resolves.toEqual(['a1', 'a2']);
    expect(runs).toEqual([2]);
  });

  it('wait for no others when none may wait, but go together when they had to wait for a thread', async () => {
    const { runs, score } = await startPool({ images: 3, waitMs: 0 });
    const answers = ['w1', 'a1', 'a2', 'a3', 'a4'].map((image) => score(image));
    await expect(Promise.all(answers)).resolves.toEqual(['w1', 'a1', 'a2', 'a3', 'a4']);
    expect(runs).toEqual([1, 3, 1]);
  });

  it('are scored again one by one when one of them cannot be', async () => {
    const { runs, score } = await startPool({ images: 3, waitMs: FOREVER_MS });
    const bad = expect(score('r')).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      message: 'images[0]: no image',
    });
    await expect(Promise.all([score('a1'), score('a2')])).resolves.toEqual(['a1', 'a2']);
    await bad;
    expect(runs).toEqual([1, 1]);
  });

  it('leave the queue with their caller', async () => {
    const { pool, runs, score, scorer } = await startPool({ images: 2, waitMs: FOREVER_MS });
    const abort = new AbortController();
    const cancelled = scorer.score({ rows: [Buffer.from('a1')] }, abort.signal);
    abort.abort();
    await expect(cancelled).rejects.toMatchObject({ code: status.CANCELLED });
    expect(pool.queued.images).toBe(0);
    await expect(Promise.all([score('a2'), score('a3')])).resolves.toEqual(['a2', 'a3']);
    expect(runs).toEqual([2]);
  });
});

it('a server that batches gives every request the values of its own photo', async () => {
  const runtime = await bundleScoringRuntime();
  onTestFinished(() => runtime.remove());
  const server = new ScoringProcess(runtime.app, {
    MAX_BATCH_SIZE: '8',
    BATCH_TIMEOUT_MS: '1000',
    WORKER_THREADS: '1',
  });
  onTestFinished(() => server.kill());
  const client = PredictClient.connect({ address: await server.address(), model: 'tiny' });
  onTestFinished(() => client.close());
  const golden = (index: number) => GOLDENS[index % GOLDENS.length];
  const answers = await Promise.all(
    Array.from({ length: 16 }, (_, index) =>
      client.predict({ input: 'images', images: [golden(index)?.photo ?? Buffer.alloc(0)] }),
    ),
  );
  answers.forEach(({ outputs }, index) => {
    const expected = golden(index)?.outputs.output_alias ?? [];
    expect(outputs.output_alias?.shape).toEqual([1, 5]);
    expected.forEach((value, at) => expect(outputs.output_alias?.values[at]).toBeCloseTo(value, 5));
  });
  const metrics = await (await fetch(`http://127.0.0.1:${await server.httpPort()}/metrics`)).text();
  const full = /slipway_scoring_batch_images_bucket\{le="4"\} (\d+)[^]*slipway_scoring_batch_images_count (\d+)/.exec(
    metrics,
  );
  expect(Number(full?.[2]) - Number(full?.[1])).toBeGreaterThanOrEqual(1);
});
