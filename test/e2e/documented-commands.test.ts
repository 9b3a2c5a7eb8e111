import { readFileSync } from 'node:fs';
import path from 'node:path';
import { execa, parseCommandString } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repository, TestStack } from '../fixtures/e2e/stack.js';

const slipway = path.join(repository, 'bin/slipway.mjs');
const readme = readFileSync(path.join(repository, 'README.md'), 'utf8');

/** Fenced blocks of the README, in order. */
const blocks = (language: string): string[] =>
  [...readme.matchAll(/^```(\w*)\n([\s\S]*?)^```/gm)]
    .filter(([, name]) => name === language)
    .map(([, , text = '']) => text);

/** What a user who follows the README types, in that order. `up` is what the test has started itself. */
const commands = blocks('')
  .flatMap((block) => block.split('\n'))
  .filter((line) => line.startsWith('npx slipway '))
  .map((line) => line.replace(/ #.*$/, '').slice('npx slipway '.length).trim())
  .filter((line) => line !== 'up');

// Nobody is at a terminal here who could confirm a deletion.
const unattended = (words: string[]): string[] => (words[0] === 'delete' ? [...words, '--yes'] : words);

let local: TestStack;
beforeAll(async () => {
  local = await TestStack.start();
});
afterAll(() => local?.stop());

describe('a user who follows the README', () => {
  it('finds commands there', () => expect(commands.length).toBeGreaterThan(3));

  it('deploys from a script', async () => {
    const [script = ''] = blocks('js');
    const { stdout: exports } = await execa(process.execPath, [slipway, 'env'], { cwd: repository });
    const { stdout } = await execa(
      'sh',
      ['-c', `${exports}\nexec "$0" --input-type=module --eval "$1"`, process.execPath, script],
      {
        cwd: repository,
      },
    );
    expect(stdout).toMatch(/^127\.\d+\.\d+\.\d+:8500 .*cat/);
  });

  it.each(commands)('slipway %s', async (line) => {
    const words = unattended(parseCommandString(line));
    const { exitCode, stderr } = await execa(process.execPath, [slipway, ...words], { cwd: repository, reject: false });
    expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
  });

  it('has left nothing behind', async () => {
    expect(await local.azure.ownedBy(local.client.identify('efficientnet').uid)).toEqual([]);
  });
});
