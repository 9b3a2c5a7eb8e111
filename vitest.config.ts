import { defineConfig } from 'vitest/config';

/** Longest a test may take: each bounds a hang, none is a performance statement. */
const MINUTES = 60_000;

const project = (name: string, testTimeout: number, parallel: boolean) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout,
    hookTimeout: testTimeout,
    pool: 'forks' as const,
    fileParallelism: parallel,
  },
});

export default defineConfig({
  test: {
    projects: [
      project('unit', 1 * MINUTES, true),
      project('workflows', 2 * MINUTES, false),
      project('emulator', 2 * MINUTES, false),
      project('e2e', 6 * MINUTES, false),
      project('fuzz', 10 * MINUTES, false),
      project('browser', 6 * MINUTES, false),
    ],
  },
});
