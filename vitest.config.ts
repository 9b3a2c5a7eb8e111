import { defineConfig } from 'vitest/config';

/** Longest a test may take: each bounds a hang, none is a performance statement. */
const MINUTES = 60_000;

/** As those: how long something is waited for that happens at once on a quiet machine. */
const POLL_TIMEOUT = 20_000;

const project = (name: string, testTimeout: number) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout,
    hookTimeout: testTimeout,
    expect: { poll: { timeout: POLL_TIMEOUT } },
    pool: 'forks' as const,
  },
});

export default defineConfig({
  test: {
    // Files at a time. Two keep the two cores of CI busy; a stack with a conversion takes 2 GB.
    poolOptions: { forks: { minForks: 1, maxForks: 2 } },
    projects: [
      project('unit', 1 * MINUTES),
      project('workflows', 2 * MINUTES),
      project('emulator', 2 * MINUTES),
      project('e2e', 6 * MINUTES),
      project('fuzz', 10 * MINUTES),
      project('witness', 6 * MINUTES),
      project('browser', 6 * MINUTES),
    ],
  },
});
