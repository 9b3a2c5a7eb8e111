// `npm test`: every check in the order in which a failure is cheapest to read. `npm test -- unit types` runs those phases.
// The last lines name what failed, and count: a check counts as one, a test suite by its tests.
import { mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { home, root, run, runAsScript, runPackage, say } from './commands.mjs';
import { conversionPython } from './python-environment.mjs';
import { setup } from './setup.mjs';
import { ensureWitnessTools } from './witness-tools.mjs';

/** @typedef {{ passed: number, failed: number, skipped?: number, failures?: string[] }} Count failures: what failed, and why */

const PHASES = {
  lint: () => check(runPackage('eslint/bin/eslint.js', ['.', '--cache', '--cache-location', cacheOf('eslint')])),
  format: () =>
    check(
      runPackage('prettier/bin/prettier.cjs', [
        '--check',
        '--log-level',
        'warn',
        '--cache',
        '--cache-location',
        cacheOf('prettier'),
        '.',
      ]),
    ),
  types: () => check(runPackage('typescript/bin/tsc', ['--noEmit', '-p', 'tsconfig.json'])),
  arrows: () =>
    check(
      runPackage('dependency-cruiser/bin/dependency-cruise.mjs', [
        'src',
        '--config',
        '.dependency-cruiser.cjs',
        '--output-type',
        'err',
      ]),
    ),
  python: testConversion,
  unit: () => testWithVitest('unit'),
  workflows: () => testWithVitest('workflows'),
  emulator: () => testWithVitest('emulator'),
  e2e: () => testWithVitest('e2e'),
  browser: () => testWithVitest('browser'),
  witness: testWithWitnesses,
};

/** Phases that run only when they are named: they need programs that nobody else needs. */
const APART = ['witness'];

/** @param {string} name */
function cacheOf(name) {
  return path.join(home, 'cache', 'checks', name);
}

/** @param {Promise<unknown>} command @returns {Promise<Count>} */
async function check(command) {
  try {
    await command;
    return { passed: 1, failed: 0 };
  } catch (error) {
    say(error.message);
    return { passed: 0, failed: 1 };
  }
}

/** @returns {Promise<Count>} */
async function testConversion() {
  const report = path.join(home, 'test', 'python.xml');
  await rm(report, { force: true });
  const args = ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', `--junit-xml=${report}`, 'conversion'];
  const outcome = await check(run(conversionPython, args, { env: { PYTHONDONTWRITEBYTECODE: '1' } }));
  const tests = (await readReport(report)) ?? '';
  const suite = tests.match(/<testsuite [^>]*>/)?.[0];
  if (!suite) return { passed: 0, failed: 1 };
  const number = (attribute) => Number(suite.match(new RegExp(` ${attribute}="(\\d+)"`))?.[1] ?? 0);
  const failed = number('failures') + number('errors');
  const skipped = number('skipped');
  const failures = [...tests.matchAll(/ classname="([^"]*)" name="([^"]*)"[^>]*><(?:failure|error) message="([^"]*)/g)];
  return {
    passed: number('tests') - failed - skipped,
    failed: Math.max(failed, outcome.failed),
    skipped,
    failures: failures.map(([, file, name, why]) => describe(file, name, why)),
  };
}

/** @param {string} project of vitest.config.ts @returns {Promise<Count>} */
async function testWithVitest(project) {
  const report = path.join(home, 'test', `${project}.json`);
  await rm(report, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const outcome = await check(runPackage('vitest/vitest.mjs', ['run', '--project', project, ...reporters]));
  const counts = JSON.parse((await readReport(report)) ?? '{}');
  const failed = counts.numFailedTests ?? 0;
  // A test file that does not load fails the run without a failed test in it.
  const skipped = counts.numPendingTests ?? 0;
  const failures = (counts.testResults ?? []).flatMap((file) =>
    file.assertionResults
      .filter(({ status }) => status === 'failed')
      .map((test) => describe(path.relative(root, file.name), test.fullName, test.failureMessages[0])),
  );
  return { passed: counts.numPassedTests ?? 0, failed: Math.max(failed, outcome.failed), skipped, failures };
}

/** @param {string} file @param {string} name of a test in it @param {string} [why] @returns {string} on one line */
function describe(file, name, why = '') {
  return `${file} > ${name}: ${why.split(/\n|&#10;/, 1)[0].slice(0, 300)}`;
}

/** @returns {Promise<Count>} */
async function testWithWitnesses() {
  await ensureWitnessTools();
  return testWithVitest('witness');
}

/** @param {string} file @returns {Promise<string | undefined>} */
async function readReport(file) {
  return readFile(file, 'utf8').catch(() => undefined);
}

/** @param {string[]} wanted names of phases; none means all but those apart */
async function test(wanted) {
  const unknown = wanted.filter((name) => !(name in PHASES));
  if (unknown.length > 0)
    throw new Error(`no phase ${unknown.join(', ')}; there are ${Object.keys(PHASES).join(', ')}`);
  const names = Object.keys(PHASES).filter((name) =>
    wanted.length === 0 ? !APART.includes(name) : wanted.includes(name),
  );
  await mkdir(path.join(home, 'test'), { recursive: true });
  await setup({ test: true });

  const total = { passed: 0, failed: 0 };
  const summary = [];
  for (const name of names) {
    say(`\n▶ ${name}`);
    const started = Date.now();
    const { passed, failed, skipped = 0, failures = [] } = await PHASES[name]();
    // A test is skipped where a tool is missing that not everyone has; CI installs them all.
    const wrong = failed + (process.env.CI ? skipped : 0);
    total.passed += passed;
    total.failed += wrong;
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    const counts = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} SKIPPED` : ''}`;
    const line = `${wrong === 0 ? '✓' : '✗'} ${name.padEnd(10)} ${counts}  ${seconds} s`;
    say(line);
    summary.push(line, ...failures.map((failure) => `    ${failure}`));
  }
  say(`\n${summary.join('\n')}`);
  process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`);
  return total.failed === 0 ? 0 : 1;
}

await runAsScript(import.meta, test);
