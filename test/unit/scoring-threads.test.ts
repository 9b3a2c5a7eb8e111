import { status } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';

import { ConvertedModelManifest } from '../../src/deployment/converted-model.js';
import { Scorer } from '../../src/scoring/server/scorer.js';
import { ThreadPool } from '../../src/scoring/server/thread-pool.js';
import manifest from '../fixtures/scoring-model/manifest.json' with { type: 'json' };

const THREAD = new URL('../fixtures/obedient-thread.mjs', import.meta.url);
const image = (behaviour: string) => Buffer.from(behaviour);

async function startPool({ threads = 1, script = THREAD, queue = { images: 8, bytes: 1000, seconds: 30 } } = {}) {
  const events: string[] = [];
  const pool = await ThreadPool.start({
    script,
    threads,
    data: { directory: '', manifest: ConvertedModelManifest.parse(manifest), intraOpThreads: 1, maxPixels: 1 },
    onThreadFailure: (error) => events.push(error.message),
    onExhausted: () => events.push('exhausted'),
  });
  onTestFinished(() => pool.close());
  return { scorer: new Scorer(pool, 'images', queue), pool, events };
}

describe('inference threads', () => {
  it('a request is divided over them and comes back in order', async () => {
    const { scorer } = await startPool({ threads: 3 });
    const images = Array.from({ length: 20 }, (_, index) => Buffer.from(['a'.charCodeAt(0), index]));
    const [output] = await scorer.score({ rows: images });
    expect(output).toEqual({ name: 'y', shape: [20, 1], bytes: Buffer.concat(images) });
  });

  it.each([
    ['a rejected image', 'r', status.INVALID_ARGUMENT, 'images[0]: no image'],
    ['a failed run', 'f', status.INTERNAL, 'the model failed'],
    ['a thread that exits', 'x', status.INTERNAL, 'the inference thread ended: an inference thread ended with code 7'],
    ['a thread that throws', 't', status.INTERNAL, 'the inference thread ended: out of memory'],
  ])('%s fails its request alone', async (_, behaviour, code, message) => {
    const { scorer } = await startPool();
    await expect(scorer.score({ rows: [image(behaviour)] })).rejects.toMatchObject({ code, message });
    await expect(scorer.score({ rows: [image('a')] })).resolves.toHaveLength(1);
  });

  it('that keep ending are given up', async () => {
    const { scorer, events } = await startPool();
    for (let times = 0; times < 4; times++) await expect(scorer.score({ rows: [image('x')] })).rejects.toThrow();
    await expect.poll(() => events.at(-1)).toBe('exhausted');
    expect(events).toHaveLength(5);
    await expect(scorer.score({ rows: [image('a')] })).rejects.toMatchObject({ code: status.UNAVAILABLE });
  });

  it('that cannot load fail the start', async () => {
    const script = new URL('data:text/javascript,throw new Error("no model")');
    await expect(startPool({ threads: 2, script })).rejects.toThrow('no model');
  });
});

describe('the queue', () => {
  it('is bounded', async () => {
    const { scorer } = await startPool();
    const running = scorer.score({ rows: [image('w')] });
    const queued = scorer.score({ rows: Array.from({ length: 8 }, () => image('a')) });
    await expect(scorer.score({ rows: [image('a')] })).rejects.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      retryAfterMs: 1000,
    });
    await Promise.all([running, queued]);
    await expect(scorer.score({ rows: [image('a')] })).resolves.toHaveLength(1);
  });

  it('is bounded in bytes too, and one request by the size of a message', async () => {
    const { scorer } = await startPool();
    const running = scorer.score({ rows: [image('w')] });
    const queued = scorer.score({ rows: [Buffer.alloc(900, 'a')] });
    await expect(scorer.score({ rows: [Buffer.alloc(200, 'a')] })).rejects.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      message: 'images of 900 bytes are waiting, the limit is 1000',
    });
    await Promise.all([running, queued]);
    const repeated = new Array<Buffer>(1024).fill(Buffer.alloc(100_000, 'a'));
    await expect(scorer.score({ rows: repeated })).rejects.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      message: 'the images are over the limit of 67108864 bytes',
      retryAfterMs: undefined,
    });
  });

  it('holds a call for so long only', async () => {
    const { scorer, pool } = await startPool({ queue: { images: 8, bytes: 1000, seconds: 0.1 } });
    const running = scorer.score({ rows: [image('w')] });
    const late = scorer.score({ rows: [image('a')] });
    await expect(late).rejects.toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      message: expect.stringMatching(/^waited for 0.1 s/) as string,
    });
    expect(pool.queued.images).toBe(0);
    await expect(running).resolves.toHaveLength(1);
  });

  it('forgets a call that was cancelled', async () => {
    const { scorer, pool } = await startPool();
    const running = scorer.score({ rows: [image('w')] });
    const abort = new AbortController();
    const cancelled = scorer.score({ rows: [image('x')] }, abort.signal);
    expect(pool.queued.images).toBe(1);
    abort.abort();
    await expect(cancelled).rejects.toMatchObject({ code: status.CANCELLED });
    expect(pool.queued.images).toBe(0);
    await running;
  });

  it('is refused when the threads stop, after the run they are in', async () => {
    const { scorer, pool } = await startPool();
    const running = scorer.score({ rows: [image('w')] });
    const queued = expect(scorer.score({ rows: [image('a')] })).rejects.toMatchObject({ code: status.UNAVAILABLE });
    await pool.close();
    await expect(running).resolves.toHaveLength(1);
    await queued;
  });
});
