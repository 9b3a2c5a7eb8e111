import { describe, expect, it } from 'vitest';
import type { Progress } from '../../src/deployment/progress.js';
import { progressMarkdown } from '../../src/workflows/progress-markdown.js';
import { progressWith, START, undo } from '../fixtures/progress.js';

const CLUSTER_ID =
  '/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/slipway-flowers';

/** The lines as they are shown: those of a table stand between bars. */
function linesOf(progress: Progress): string[] {
  const lines = progressMarkdown(progress).split('\n');
  return lines.filter((line) => line !== '| :--- |').map((line) => line.replace(/^\| (.*) \|$/, '$1'));
}

describe('the current details of a deployment', () => {
  it('list the steps: what came of those that have ended, and what runs', () => {
    const progress = progressWith({
      workspace: { state: 'done', startedAt: START, endedAt: START + 400, detail: 'slipway, eastus' },
      cluster: { state: 'running', startedAt: START + 400 },
    });
    expect(linesOf(progress)).toEqual([
      '**running**',
      '',
      'Steps',
      '✓ **workspace** done in 0.4 s · slipway, eastus',
      '· register',
      '· convert',
      '· image',
      '▶ **cluster** running',
      '· service',
      '· smoke',
      '· switch',
    ]);
  });

  it('say why it failed, what was undone and what is left', () => {
    const progress = progressWith(
      { image: { state: 'failed', startedAt: START, endedAt: START + 1_000 } },
      {
        state: 'failed',
        failure: { code: 'MANIFEST_INVALID', message: 'refused:\n  <no *layers*>' },
        undo: [
          { kind: 'image', state: 'removed', removed: [`slipway/boats@sha256:${'0123456789ab'.padEnd(64, 'f')}`] },
          { kind: 'registered-model', state: 'removed', removed: [] },
          undo('job', 'residue', 'Locked: by ops'),
          { kind: 'cluster', state: 'removed', removed: [CLUSTER_ID] },
        ],
        residue: [{ kind: 'job', ids: ['job-1'], reason: 'Locked: by ops' }],
      },
    );
    const lines = linesOf(progress);
    expect(lines.slice(0, 4)).toEqual([
      '**failed**: `MANIFEST_INVALID` refused: \\<no \\*layers\\*\\>',
      '',
      'Left behind',
      '**job** job-1 · Locked: by ops',
    ]);
    expect(lines).toContain('✗ **image** failed in 1.0 s');
    expect(lines.slice(-5)).toEqual([
      'Undo',
      '✓ **image** removed · slipway/boats@sha256:0123456789ab',
      '✓ **registered-model** removed · nothing was there',
      '✗ **job** residue · Locked: by ops',
      '✓ **cluster** removed · slipway-flowers',
    ]);
  });

  it('of a teardown are its removals', () => {
    const teardown = { ...progressWith({}, { state: 'deleting', undo: [undo('service', 'running')] }), steps: [] };
    expect(linesOf(teardown).slice(2)).toEqual(['Removals', '▶ **service** running']);
  });
});
