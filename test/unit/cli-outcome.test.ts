import pc from 'picocolors';
import { describe, expect, it } from 'vitest';
import { ChangeFailed, ChangeRunning, SlipwayError } from '../../src/client.js';
import { exitCodeOf } from '../../src/cli/exit-code-of.js';
import { renderError } from '../../src/cli/render/errors.js';
import { progressWith, snapshot, START, undo } from '../fixtures/progress.js';

const plain = pc.createColors(false);
const detail = {
  code: 'RequestDisallowedByPolicy',
  message: 'a policy forbids it',
  fix: 'Ask its owner.',
  requestId: 'r-1',
};
const residue = [{ kind: 'cluster' as const, ids: ['slipway-flowers'], reason: 'ScopeLocked: a lock forbids it' }];

describe('the exit code', () => {
  const kept = snapshot(progressWith({}, { state: 'failed', undo: [undo('cluster', 'kept')] }));
  it.each([
    ['a refusal before anything was created', new SlipwayError('InvalidSpec', ''), undefined, 3],
    ['a change that runs already', new ChangeRunning('flowers', 'service/…'), undefined, 3],
    ['a failure before anything was created', new ChangeFailed(detail, {}), undefined, 3],
    ['a failure that was undone', new ChangeFailed(detail, { undone: ['image'] }), undefined, 4],
    ['a cancellation', new ChangeFailed(detail, { cancelled: true }), undefined, 4],
    ['a failure that left something', new ChangeFailed(detail, { undone: ['image'], residue }), undefined, 5],
    ['a failure whose parts are kept', new ChangeFailed(detail, {}), kept, 5],
    ['a server that does not answer', new SlipwayError('TemporalUnreachable', ''), undefined, 6],
    ['a fault of ours', new TypeError('x is not a function'), undefined, 1],
  ])('of %s is %#', (_what, error, last, code) => {
    expect(exitCodeOf(error, last)).toBe(code);
  });
});

describe('an error', () => {
  const last = snapshot(progressWith({ convert: { state: 'failed', startedAt: START, endedAt: START + 1 } }));

  it('names the step, the code, what was done about it and how to mend it', () => {
    const error = new ChangeFailed(detail, { undone: ['converted-model', 'registered-model'], residue });
    expect(renderError(error, plain, last)).toEqual([
      '✗ convert · RequestDisallowedByPolicy · a policy forbids it',
      '  undone: converted-model, registered-model',
      '  left: cluster slipway-flowers (ScopeLocked: a lock forbids it)',
      '  fix: Ask its owner.',
      '  request: r-1',
    ]);
  });

  it('says so when nothing had been created', () => {
    expect(renderError(new ChangeFailed(detail, {}), plain)).toContain('  nothing had been created');
  });

  it('that a running change causes names how to watch it', () => {
    expect(renderError(new ChangeRunning('flowers', 'service/a/b/c/flowers'), plain).join('\n')).toContain(
      'slipway watch flowers',
    );
  });
});
