import pc from 'picocolors';
import { expect, it } from 'vitest';
import { renderSchedules } from '../../src/cli/render/schedules.js';
import type { Schedule } from '../../src/client.js';

const plain = pc.createColors(false);
const at = (hour: number) => new Date(Date.UTC(2026, 0, 1, hour));

/** A schedule that has not run yet. */
const flowers: Schedule = {
  service: 'flowers',
  cron: '0 3 * * *',
  timezone: 'Europe/Berlin',
  paused: false,
  nextRun: at(26),
  runs: 0,
  skipped: 0,
  missed: 0,
};
const run = { workflowId: 'redeploy/s/g/w/flowers-2026-01-01T02:00:00Z', runId: 'r', startedAt: at(2), endedAt: at(3) };

it('says when a service is redeployed next', () => {
  expect(renderSchedules([flowers], plain)).toEqual([
    'flowers  0 3 * * *  Europe/Berlin  0 runs',
    '  next  2026-01-02T02:00:00.000Z',
  ]);
});

it('says why a schedule is paused, and what was left out', () => {
  const { nextRun: _nextRun, ...rest } = flowers;
  const paused = {
    ...rest,
    paused: true,
    note: 'NotASavedModel: the log ends:\nI0000 port.cc\nit cannot be parsed\n',
    runs: 1,
    skipped: 2,
    missed: 3,
  };
  expect(renderSchedules([paused], plain)).toEqual([
    'flowers  0 3 * * *  Europe/Berlin  1 run; 2 skipped, the run before was going on; 3 missed, Temporal was away',
    '  paused: NotASavedModel: the log ends: … it cannot be parsed',
  ]);
});

it.each([
  { outcome: 'unchanged', detail: 'flowers:7', line: '– unchanged, flowers:7' },
  { outcome: 'deployed', detail: 'flowers:7', line: '✓ deployed, flowers:7' },
  {
    outcome: 'failed',
    detail: 'old release kept: PodCrashed: it crashed',
    line: '✗ failed, old release kept: PodCrashed: it crashed',
  },
  { outcome: 'skipped', detail: 'a change is running', line: '– skipped, a change is running' },
  { outcome: 'cancelled', line: '⊘ cancelled' },
  { outcome: 'forgotten', line: '· forgotten' },
] as const)('says how the last run ended: $outcome', ({ outcome, line, ...rest }) => {
  const [, , last] = renderSchedules([{ ...flowers, lastRun: { ...run, outcome, ...rest } }], plain);
  expect(last).toBe(`  last  2026-01-01T03:00:00.000Z  ${line}`);
});
