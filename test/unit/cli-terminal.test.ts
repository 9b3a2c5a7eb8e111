import { expect, it } from 'vitest';
import { keptTerminal } from '../fixtures/terminal.js';

it.each([
  // [what, is it a terminal, environment, redrawn, coloured]
  ['a terminal', true, {}, true, true],
  ['a pipe', false, {}, false, false],
  ['NO_COLOR', true, { NO_COLOR: '1' }, true, false],
  ['an empty NO_COLOR', true, { NO_COLOR: '' }, true, true],
  ['CI', true, { CI: 'true' }, false, false],
  ['CI=1', true, { CI: '1' }, false, false],
  ['CI=false', true, { CI: 'false' }, true, true],
  ['a dumb terminal', true, { TERM: 'dumb' }, false, false],
  ['FORCE_COLOR in a pipe', false, { FORCE_COLOR: '1' }, false, true],
  ['FORCE_COLOR in CI', true, { FORCE_COLOR: '1', CI: 'true' }, false, true],
  ['FORCE_COLOR=0', true, { FORCE_COLOR: '0' }, true, false],
  ['NO_COLOR against FORCE_COLOR', true, { FORCE_COLOR: '1', NO_COLOR: '1' }, true, false],
])('what is said to %s is redrawn and coloured as it can be', (_what, tty, environment, redrawn, coloured) => {
  const { terminal } = keptTerminal({ tty, environment });
  expect({ redrawn: terminal.interactive, coloured: terminal.colors.red('x') !== 'x' }).toEqual({ redrawn, coloured });
});

it('data is coloured by where it goes, not by where progress goes', () => {
  const { terminal } = keptTerminal({ tty: true, dataTty: false });
  expect([terminal.colors.red('x'), terminal.dataColors.red('x')]).toEqual([expect.not.stringMatching(/^x$/), 'x']);
});
