import { describe, expect, it } from 'vitest';
import { transitionLine } from '../../src/worker/log.js';
import { registrationCommand } from '../../src/worker/search-attributes.js';

describe('the worker’s log', () => {
  it.each([
    [
      'step',
      { service: 'flowers', step: 'convert', state: 'done', detail: 'version 3' },
      'flowers  convert  done · version 3',
    ],
    ['step', { service: 'flowers', step: 'image', state: 'running' }, 'flowers  image  running'],
    [
      'undo',
      { service: 'flowers', kind: 'job', state: 'residue', reason: 'locked' },
      'flowers  remove job  residue · locked',
    ],
    [
      'deployment',
      { service: 'flowers', state: 'failed', code: 'PodCrashed' },
      'flowers  deployment  failed · PodCrashed',
    ],
    ['Workflow completed', {}, undefined],
  ])('has one readable line for a transition (%s)', (message, fields, line) => {
    expect(transitionLine(message, fields)).toBe(line);
  });
});

it('an administrator is told one whole command', () => {
  expect(registrationCommand('prod')).toBe(
    'temporal operator search-attribute create --namespace prod --name SlipwayService --type Keyword ' +
      '--name SlipwayStep --type Keyword --name SlipwayState --type Keyword --name SlipwayResidue --type Bool',
  );
});
