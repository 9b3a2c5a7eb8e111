import { describe, expect, it } from 'vitest';

import { planThreads, readConfig } from '../../src/scoring/server/config.js';

describe('threads never exceed the CPUs', () => {
  it.each([
    [1, {}, { workers: 1, intraOp: 1 }],
    [2, {}, { workers: 2, intraOp: 1 }],
    [16, {}, { workers: 4, intraOp: 4 }],
    [8, { workers: 2 }, { workers: 2, intraOp: 4 }],
    [8, { intraOp: 2 }, { workers: 4, intraOp: 2 }],
    [8, { workers: 3, intraOp: 2 }, { workers: 3, intraOp: 2 }],
    [2, { workers: 4 }, { workers: 2, intraOp: 1 }],
    [2, { intraOp: 4 }, { workers: 1, intraOp: 2 }],
    [2, { workers: 2, intraOp: 2 }, { workers: 1, intraOp: 2 }],
  ])('on %i CPUs, asked for %o: %o', (cpus, asked, plan) => {
    expect(planThreads(cpus, asked)).toEqual(plan);
  });
});

describe('the environment', () => {
  it('needs a model and has defaults for the rest', () => {
    expect(readConfig({ MODEL_DIR: '/model', MODEL_NAME: 'cats' })).toMatchObject({
      modelVersion: 1,
      host: '0.0.0.0',
      grpcPort: 8500,
      httpPort: 8501,
      keysDirectory: undefined,
      maxConnectionAgeSeconds: 300,
      drainSeconds: 10,
    });
  });

  it('is refused with every variable that is wrong', () => {
    const environment = { MODEL_DIR: '/model', GRPC_PORT: '70000', DRAIN_SECONDS: 'soon', WORKER_THREADS: '1.5' };
    expect(() => readConfig(environment)).toThrow(/MODEL_NAME: .*GRPC_PORT: .*DRAIN_SECONDS: .*WORKER_THREADS: /);
  });
});
