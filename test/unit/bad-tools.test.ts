import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Linter } from 'eslint';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');

interface NodeVersion {
  readonly nodeProblem: (version: string, program: string) => string | undefined;
}
const { nodeProblem } = (await import(path.join(root, 'bin/node-version.mjs'))) as NodeVersion;

/** Runs a program to its end, whatever that is. */
async function outcome(
  args: string[],
  env: NodeJS.ProcessEnv,
): Promise<{ code: unknown; stderr: string; stdout: string }> {
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, args, { env })) };
  } catch (error) {
    const { code, stderr, stdout } = error as { code: unknown; stderr: string; stdout: string };
    return { code, stderr, stdout };
  }
}

describe('a Node', () => {
  it.each(['12.22.12', '18.20.4', '20.2.0'])('%s is refused with what is needed instead', (version) => {
    expect(nodeProblem(version, '/usr/bin/node')).toMatch(
      /Node 20\.3 or newer is needed; \/usr\/bin\/node is [\d.]+\n {2}fix: Install Node 20/,
    );
    expect(nodeProblem(version, '/usr/bin/node')).toContain(version);
  });

  it.each(['20.3.0', '22.1.0', process.versions.node])('%s is taken', (version) => {
    expect(nodeProblem(version, '/usr/bin/node')).toBeUndefined();
  });

  it.each(['bin/slipway.mjs', 'bin/node-version.mjs', 'scripts/demo.mjs', 'scripts/run.mjs'])(
    'of old can read %s, which says that it is too old',
    async (file) => {
      const code = await readFile(path.join(root, file), 'utf8');
      const languageOptions = { ecmaVersion: 2020, sourceType: 'module' } as const;
      expect(new Linter().verify(code, { languageOptions }).filter(({ fatal }) => fatal)).toEqual([]);
      // Node 12 reads ES2020 but for these two.
      expect(code).not.toMatch(/\?\?|\?\./);
      for (const [, imported = ''] of code.matchAll(/^import .* from '(.*)';/gm))
        expect(imported).toMatch(/node-version\.mjs$/);
    },
  );
});

describe('a Python', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'slipway-tools-'));
    await mkdir(path.join(directory, 'bin'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  /** A program on PATH that answers as a Python of that version does when it is asked about itself. */
  async function python(name: string, version: string, venv: boolean): Promise<void> {
    const file = path.join(directory, 'bin', name);
    const minor = Number(version.split('.')[1]);
    const answer = JSON.stringify({ executable: file, version, minor, venv });
    await writeFile(file, `#!/bin/sh\necho '${answer}'\n`);
    await chmod(file, 0o755);
  }

  /** The set-up of the Python environments, with nothing else on PATH, in a home of its own. */
  const setUp = () =>
    outcome([path.join(root, 'scripts/python-environment.mjs')], {
      PATH: path.join(directory, 'bin'),
      SLIPWAY_HOME: path.join(directory, 'home'),
    });

  it.each<[string, [name: string, version: string, venv: boolean][], RegExp[]]>([
    ['that is not there', [], [/and there is no Python on PATH/, /apt install python3-venv/]],
    ['that is too old', [['python3', '3.8.10', true]], [/bin\/python3 is 3\.8\.10/, /apt install python3-venv/]],
    ['that is too new', [['python3', '3.15.0', true]], [/bin\/python3 is 3\.15\.0/]],
    [
      'without venv, as Debian has it',
      [['python3', '3.11.2', false]],
      [/bin\/python3 is 3\.11\.2 without venv/, /apt install python3\.11-venv/],
    ],
    [
      'of which there are several, none of use',
      [
        ['python3', '3.8.10', true],
        ['python3.12', '3.12.3', false],
      ],
      [/python3 is 3\.8\.10; .*python3\.12 is 3\.12\.3 without venv/, /python3\.12-venv/],
    ],
  ])('%s is refused with what was found, where, and what to install', async (_what, found, words) => {
    for (const each of found) await python(...each);
    const { code, stderr, stdout } = await setUp();
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^✗ Python 3\.10 to 3\.13 with venv is needed, and /m);
    for (const each of words) expect(stderr).toMatch(each);
    expect(stderr).not.toMatch(/^ {4}at /m);
    expect(await readdir(path.join(directory, 'home', 'python'))).toEqual([]);
  });

  it('that cannot be set up because its home is below a file is told so', async () => {
    await python('python3', '3.11.2', true);
    await writeFile(path.join(directory, 'home'), '');
    const { code, stderr } = await setUp();
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /home\/python cannot be written: a part of that path is a file \(ENOTDIR\)\n {2}fix: Set SLIPWAY_HOME/,
      ) as string,
    });
  });
});
