// Read by any Node that has ES modules, 12 among them: no newer syntax, no imports.

/** First version of Node that every pinned package supports. */
const OLDEST = [20, 3];

/**
 * What to say when a Node is too old to run Slipway.
 *
 * @param {string} version of Node, without a `v`
 * @param {string} program where that Node is
 * @returns {string | undefined} undefined when it is new enough
 */
export function nodeProblem(version, program) {
  const parts = version.split('.').map(Number);
  if (parts[0] > OLDEST[0] || (parts[0] === OLDEST[0] && parts[1] >= OLDEST[1])) return undefined;
  const oldest = OLDEST.join('.');
  return (
    'Node ' +
    oldest +
    ' or newer is needed; ' +
    program +
    ' is ' +
    version +
    '\n' +
    '  fix: Install Node ' +
    OLDEST[0] +
    ' from https://nodejs.org or with your version manager (nvm install ' +
    OLDEST[0] +
    ').'
  );
}

/**
 * Loads a program that a Node which is too old could not even read; such a Node says so, and exits with 1.
 *
 * @param {() => Promise<unknown>} load
 */
export function withNode(load) {
  const problem = nodeProblem(process.versions.node, process.execPath);
  if (problem === undefined) {
    load();
    return;
  }
  process.stderr.write('✗ ' + problem + '\n');
  process.exitCode = 1;
}
