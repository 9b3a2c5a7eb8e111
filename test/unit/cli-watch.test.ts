import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Snapshot } from '../../src/client.js';
import { showChange } from '../../src/cli/render/watch.js';
import { progressWith, snapshot, START } from '../fixtures/progress.js';
import { keptTerminal } from '../fixtures/terminal.js';

beforeEach(() => vi.useFakeTimers({ now: START, toFake: ['Date'] }));
afterEach(() => vi.useRealTimers());

const creating = (minutes: number): Snapshot =>
  snapshot(progressWith({ cluster: { state: 'running', startedAt: START } }), [
    { activity: 'awaitCluster', of: 'cluster', attempt: 1, message: `AKS cluster is Creating, ${minutes} min` },
  ]);

/** A change that is looked at every ten seconds. */
function lookedAt(snapshots: readonly Snapshot[]) {
  return {
    async *watch() {
      for (const each of snapshots) {
        yield await Promise.resolve(each);
        vi.setSystemTime(Date.now() + 10_000);
      }
    },
  };
}

it('without a terminal: a line when something changes, and one every 30 s when nothing does', async () => {
  const { terminal, lines } = keptTerminal();
  await showChange(lookedAt(Array.from({ length: 8 }, (_, look) => creating(look))), terminal);
  expect(lines()).toEqual([
    'Deploying flowers',
    '  ◌ cluster running · AKS cluster is Creating, 0 min',
    '… still running: cluster 30 s, AKS cluster is Creating, 3 min',
    '… still running: cluster 1 min 00 s, AKS cluster is Creating, 6 min',
  ]);
});

it('in a terminal: the tree, drawn anew', async () => {
  const { terminal, written } = keptTerminal({ tty: true, environment: { NO_COLOR: '1' } });
  await showChange(lookedAt([creating(0), creating(1)]), terminal);
  expect(written()).toContain('◌ cluster                0.0 s  AKS cluster is Creating, 0 min');
  expect(written()).toContain('◌ cluster                 10 s  AKS cluster is Creating, 1 min');
  expect(written()).not.toContain('still running');
});
