import pc from 'picocolors';
import { describe, expect, it } from 'vitest';
import type { Snapshot } from '../../src/client.js';
import { renderChanges, renderHeartbeat } from '../../src/cli/render/changes.js';
import { progressWith, snapshot, START, undo } from '../fixtures/progress.js';

const plain = pc.createColors(false);
const changes = (before: Snapshot | undefined, now: Snapshot): string[] => renderChanges(before, now, plain);

const running = progressWith({ workspace: { state: 'running', startedAt: START } });
const wait = (message: string) => ({ activity: 'awaitCluster', of: 'cluster', attempt: 1, message }) as const;

describe('the log of a deployment', () => {
  it('begins with what is going on', () => {
    expect(changes(undefined, snapshot(running))).toEqual(['Deploying flowers', '  ◌ workspace running']);
  });

  it('says each change once', () => {
    const done = progressWith({
      workspace: { state: 'done', startedAt: START, endedAt: START + 1_500, detail: 'slipway' },
    });
    expect(changes(snapshot(running), snapshot(done))).toEqual(['  ✓ workspace done in 1.5 s · slipway']);
    expect(changes(snapshot(done), snapshot(done))).toEqual([]);
  });

  it('says a new state of what is waited for, and not merely its age', () => {
    const cluster = progressWith({ cluster: { state: 'running', startedAt: START } });
    const creating = snapshot(cluster, [wait('AKS cluster is Creating, 1 min')]);
    expect(changes(creating, snapshot(cluster, [wait('AKS cluster is Creating, 2 min')]))).toEqual([]);
    expect(changes(creating, snapshot(cluster, [wait('AKS cluster is Updating, 2 min')]))).toEqual([
      '  ◌ cluster running · AKS cluster is Updating, 2 min',
    ]);
  });

  it.each([
    ['AKS cluster is Creating, 59 s', 'AKS cluster is Creating, 1 min'],
    ['AKS cluster is Creating, 59 min', 'AKS cluster is Creating, 1 h 5 min'],
    ['pushing 0.4 of 93 MB (2 of 4 blobs were there)', 'pushing 40 of 93 MB (2 of 4 blobs were there)'],
  ])('does not repeat what only lasts or gets on: %s', (before, now) => {
    const cluster = progressWith({ cluster: { state: 'running', startedAt: START } });
    const later = { ...wait(now), attempt: 7 };
    expect(changes(snapshot(cluster, [wait(before)]), snapshot(cluster, [later]))).toEqual([]);
  });

  it('does not say that nothing is waited for', () => {
    const cluster = progressWith({ cluster: { state: 'running', startedAt: START } });
    expect(changes(snapshot(cluster, [wait('AKS cluster is Creating')]), snapshot(cluster))).toEqual([]);
  });

  it('ends with what is live when nothing had to change', () => {
    const unchanged = progressWith(
      {
        service: { state: 'skipped', startedAt: START, endedAt: START + 400, detail: 'release 864cac41bb19 is live' },
        smoke: { state: 'skipped', endedAt: START + 400, detail: '3 photos agree' },
      },
      { state: 'unchanged' },
    );
    expect(changes(snapshot(running), snapshot(unchanged))).toEqual([
      '  – service skipped in 0.4 s · release 864cac41bb19 is live',
      '  – smoke skipped · 3 photos agree',
      'flowers is unchanged: release 864cac41bb19 is live',
    ]);
  });

  it('tells the undo of a kind from the step of the same name, and ends with the end', () => {
    const failed = progressWith(
      { image: { state: 'failed', startedAt: START, endedAt: START + 1_000 } },
      { state: 'failed', failure: { code: 'MANIFEST_INVALID', message: 'refused' }, undo: [undo('image', 'removed')] },
    );
    expect(changes(snapshot(running), snapshot(failed))).toEqual([
      '  ✗ image failed in 1.0 s',
      '  ✓ undo image removed · image-1',
      'The deployment of flowers failed: MANIFEST_INVALID',
    ]);
  });

  it('says that it is undone between the step that failed and the removals', () => {
    const undoing = progressWith(
      { image: { state: 'failed', startedAt: START, endedAt: START + 1_000 } },
      { state: 'undoing', failure: { code: 'PodCrashed', message: 'it crashed' }, undo: [undo('image', 'running')] },
    );
    expect(changes(snapshot(running), snapshot(undoing))).toEqual([
      '  ✗ image failed in 1.0 s',
      'Undoing the deployment of flowers: PodCrashed',
      '  ◌ undo image running',
    ]);
  });

  it('does not call the removals of a teardown an undo', () => {
    const teardown = { ...progressWith({}, { state: 'deleting', undo: [undo('service', 'running')] }), steps: [] };
    expect(changes(undefined, snapshot(teardown))).toEqual(['Deleting flowers', '  ◌ service running']);
  });

  it('says once that no worker answers', () => {
    const absent: Snapshot = { waits: [], open: true, workerAbsent: true };
    expect(changes(undefined, absent)).toHaveLength(1);
    expect(changes(absent, absent)).toEqual([]);
  });
});

it('a heartbeat names what runs and what it waits for', () => {
  const cluster = progressWith({ cluster: { state: 'running', startedAt: START } });
  expect(renderHeartbeat(snapshot(cluster, [wait('AKS cluster is Creating')]), START + 30_000)).toBe(
    '… still running: cluster 30 s, AKS cluster is Creating',
  );
});
