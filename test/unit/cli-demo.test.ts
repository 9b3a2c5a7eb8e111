import { describe, expect, it } from 'vitest';
import { countByKind, leftovers } from '../../src/cli/demo/inventory.js';
import { FAULTS } from '../../src/cli/demo/faults.js';
import { STEPS } from '../../src/deployment/steps.js';
import { ruleFor } from '../../src/azure/failure-rules.js';

const item = (kind: string, id: string, rest: { owner?: string } = {}) => ({
  kind,
  id,
  name: id,
  ...rest,
});
const cached = `/account/data/slipway/models/${'0'.repeat(64)}/saved_model.pb`;
const buildLog = `/account/data/slipway/build-logs/${'0'.repeat(64)}/0123456789ab.log`;
const before = [item('workspace', 'w'), item('job', 'of someone else')];

describe('what a deployment left', () => {
  it.each([
    ['nothing but what was there', before, []],
    ['nothing but cache', [...before, item('blob', cached), item('blob', buildLog), item('code', 'c')], []],
    [
      'nothing but the logs of a job',
      [...before, item('blob', '/account/azureml/ExperimentRun/dcid.j/std_log.txt')],
      [],
    ],
    [
      'a blob that is named by no digest',
      [...before, item('blob', '/account/data/slipway/x')],
      ['/account/data/slipway/x'],
    ],
    ['something with our mark, though it was there before', [...before, item('job', 'j', { owner: 'uid/d1' })], ['j']],
    ['something new without a mark', [...before, item('secret', 's')], ['s']],
    [
      'something of another service',
      [...before.slice(0, 1), item('job', 'of someone else', { owner: 'other/d1' })],
      [],
    ],
  ])('is %s', (_what, after, ours) => {
    expect(leftovers(before, after, 'uid/').ours.map(({ id }) => id)).toEqual(ours);
  });

  it('is counted by kind', () => {
    expect(countByKind([item('blob', 'a'), item('code', 'b'), item('blob', 'c')])).toBe('2 blob, 1 code');
    expect(countByKind([])).toBe('nothing');
  });
});

describe('--fail-at', () => {
  it('has a fault for every step but smoke, which a wrong expectation fails', () => {
    expect(STEPS.filter((step) => !(step in FAULTS))).toEqual(['smoke']);
  });

  it.each(Object.entries(FAULTS))('%s fails with an answer that asking again cannot mend', (_step, fault) => {
    const { code, message } = fault.then;
    expect(ruleFor(code, message).class).toBe('fatal');
  });
});
