import pc from 'picocolors';
import { describe, expect, it } from 'vitest';
import { renderTree } from '../../src/cli/render/tree.js';
import { elapsed } from '../../src/cli/render/symbols.js';
import { progressWith, snapshot, START, undo } from '../fixtures/progress.js';

const plain = pc.createColors(false);
const WIDTH = 100;

describe('the step tree', () => {
  it('shows each step with its sign, its time, what came of it and what it waits for', () => {
    const progress = progressWith({
      workspace: { state: 'done', startedAt: START, endedAt: START + 400, detail: 'slipway, slipway-local, eastus' },
      register: { state: 'running', startedAt: START + 400 },
      cluster: { state: 'running', startedAt: START + 400 },
    });
    const waits = [
      { activity: 'awaitCluster', of: 'cluster', attempt: 5, message: 'AKS cluster is Creating,\n 4 min' },
    ] as const;
    expect(renderTree(snapshot(progress, waits), START + 65_400, WIDTH, plain)).toEqual([
      'Deploying flowers',
      '  ✓ workspace              0.4 s  slipway, slipway-local, eastus',
      '  ◌ register          1 min 05 s',
      '  · convert',
      '  · image',
      '  ◌ cluster           1 min 05 s  AKS cluster is Creating, 4 min (look 5)',
      '  · service',
      '  · smoke',
      '  · switch',
    ]);
  });

  it('shows what an attempt that runs is at, and not what an earlier one ended with', () => {
    const progress = progressWith({ image: { state: 'running', startedAt: START } });
    const waits = [
      { activity: 'pushImage', of: 'image', attempt: 2, message: 'the line broke', doing: 'pushing 40 of 93 MB' },
    ] as const;
    const lines = renderTree(snapshot(progress, waits), START + 12_000, WIDTH, plain);
    expect(lines[4]).toBe('  ◌ image                   12 s  pushing 40 of 93 MB');
  });

  it('shows the failure and the undo of a deployment that failed', () => {
    const progress = progressWith(
      { image: { state: 'failed', startedAt: START, endedAt: START + 12_000 } },
      {
        state: 'undoing',
        failure: { code: 'MANIFEST_INVALID', message: 'the manifest is refused' },
        undo: [undo('image', 'removed'), undo('registered-model', 'running'), undo('job', 'residue', 'it is locked')],
      },
    );
    const lines = renderTree(snapshot(progress), START, WIDTH, plain);
    expect(lines[0]).toBe('Undoing the deployment of flowers: MANIFEST_INVALID');
    expect(lines.slice(9)).toEqual([
      '  the manifest is refused',
      'Undo',
      '  ✓ image                         image-1',
      '  ◌ registered-model',
      '  ✗ job                           it is locked',
    ]);
  });

  it('does not show the wait of a removal beside the step of the same name', () => {
    const progress = progressWith(
      { cluster: { state: 'running', startedAt: START } },
      { state: 'undoing', undo: [undo('cluster', 'running')] },
    );
    const waits = [
      { activity: 'removeCluster', of: 'cluster', attempt: 1, message: 'AKS cluster is Deleting' },
    ] as const;
    const lines = renderTree(snapshot(progress, waits), START, WIDTH, plain);
    expect(lines.filter((line) => line.includes('Deleting'))).toEqual([expect.stringContaining('◌ cluster')]);
    expect(lines.at(-1)).toContain('Deleting');
  });

  it('is never wider than the terminal', () => {
    const progress = progressWith({ convert: { state: 'running', startedAt: START, detail: 'x'.repeat(300) } });
    for (const width of [40, 60, 100]) {
      const lines = renderTree(snapshot(progress), START, width, plain);
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
    }
  });

  it('gives what a narrow terminal must not cut a line of its own', () => {
    const progress = progressWith({
      workspace: { state: 'done', startedAt: START, endedAt: START + 400, detail: 'slipway, slipway-local, eastus' },
      cluster: { state: 'running', startedAt: START + 400 },
    });
    const waits = [
      {
        activity: 'awaitCluster',
        of: 'cluster',
        attempt: 1,
        message: 'AKS cluster slipway-flowers is Creating, 4 min',
      },
    ] as const;
    const lines = renderTree(snapshot(progress, waits), START + 65_400, 40, plain);
    expect(lines.filter((line) => !line.includes('·'))).toEqual([
      'Deploying flowers',
      '  ✓ workspace         0.4 s',
      '  ◌ cluster           1 min 05 s',
      '      AKS cluster slipway-flowers is Cr…',
    ]);
  });

  it('says that no worker has taken it up', () => {
    expect(renderTree({ waits: [], open: true, workerAbsent: true }, START, WIDTH, plain)).toEqual([
      'Waiting for a worker to take it up',
    ]);
  });
});

describe('a time span', () => {
  it.each([
    [0, '0.0 s'],
    [9_940, '9.9 s'],
    [12_400, '12 s'],
    [59_600, '1 min 00 s'],
    [3_599_000, '59 min 59 s'],
    [3_720_000, '1 h 02 min'],
  ])('of %i ms reads %s', (milliseconds, text) => {
    expect(elapsed(milliseconds)).toBe(text);
  });
});
