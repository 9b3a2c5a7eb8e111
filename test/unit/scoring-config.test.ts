import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';

import { pixelLimit, planThreads, readConfig } from '../../src/scoring/server/config.js';
import { containerCpus } from '../../src/scoring/server/container-cpus.js';

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

describe('the CPUs of the container', () => {
  it.each<[string, Record<string, string>, number]>([
    ['are those of its quota', { 'cpu.max': '200000 100000\n' }, 2],
    ['are whole ones', { 'cpu.max': '250000 100000\n' }, 2],
    ['are at least one', { 'cpu.max': '50000 100000\n' }, 1],
    ['are never more than the machine has', { 'cpu.max': '6400000 100000\n' }, 8],
    ['are those of the machine without a quota', { 'cpu.max': 'max 100000\n' }, 8],
    ['are found in version 1', { 'cpu/cpu.cfs_quota_us': '300000\n', 'cpu/cpu.cfs_period_us': '100000\n' }, 3],
    ['are unlimited in version 1', { 'cpu/cpu.cfs_quota_us': '-1\n', 'cpu/cpu.cfs_period_us': '100000\n' }, 8],
    ['are those of the machine without cgroups', {}, 8],
  ])('%s', async (_, files, cpus) => {
    const cgroups = await mkdtemp(join(tmpdir(), 'slipway-cgroups-'));
    onTestFinished(() => rm(cgroups, { recursive: true, force: true }));
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(cgroups, name)), { recursive: true });
      await writeFile(join(cgroups, name), content);
    }
    expect(containerCpus(cgroups, 8)).toBe(cpus);
  });
});

describe('the largest image', () => {
  it.each([
    ['fits the memory', 1024 ** 3, 1, 22_369_621],
    ['fits it for every thread', 1024 ** 3, 2, 11_184_810],
    ['has at most 50 megapixels', 64 * 1024 ** 3, 4, 50_000_000],
  ])('%s', (_, memory, threads, pixels) => {
    expect(pixelLimit(memory, threads)).toBe(pixels);
  });

  it('may be set', () => {
    expect(readConfig({ MODEL_DIR: '/model', MODEL_NAME: 'cats', MAX_PIXELS: '1000' }).maxPixels).toBe(1000);
  });
});

describe('the environment', () => {
  it('needs a model and has defaults for the rest', () => {
    expect(readConfig({ MODEL_DIR: '/model', MODEL_NAME: 'cats' })).toMatchObject({
      served: { name: 'cats', version: 1, labels: [] },
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
