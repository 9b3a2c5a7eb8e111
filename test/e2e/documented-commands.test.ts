import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repository, TestStack } from '../fixtures/e2e/stack.js';

const slipway = path.join(repository, 'bin/slipway.mjs');
/** What is about Azure itself or about containers cannot be typed here. */
const ELSEWHERE = ['azure.md', 'compose.md'];
const pages = [
  'README.md',
  ...readdirSync(path.join(repository, 'docs'))
    .filter((page) => page.endsWith('.md') && !ELSEWHERE.includes(page))
    .map((page) => path.join('docs', page)),
];

/** Fenced blocks of a page, in order. */
const blocks = (page: string, language: string): string[] =>
  [...readFileSync(path.join(repository, page), 'utf8').matchAll(/^```(\w*)\n([\s\S]*?)^```/gm)]
    .filter(([, name]) => name === language)
    .map(([, , text = '']) => text);

const typed = pages
  .flatMap((page) => blocks(page, ''))
  .flatMap((block) => block.split('\n'))
  .filter((line) => line.startsWith('npx slipway '))
  .map((line) => line.replace(/ #.*$/, '').slice('npx slipway '.length).trim());

const isDeletion = (line: string): boolean => line.startsWith('delete ');
/** What a user who follows the pages types: `up` is what the test has started itself, and the service goes last. */
const commands = [...typed.filter((line) => line !== 'up' && !isDeletion(line)), ...typed.filter(isDeletion)];

// Nobody is at a terminal here who could confirm a deletion.
const unattended = (line: string): string => (isDeletion(line) ? `${line} --yes` : line);

let local: TestStack;
beforeAll(async () => {
  local = await TestStack.start();
});
afterAll(() => local?.stop());

describe('a user who follows the documentation', () => {
  it('finds commands there', () => expect(commands.length).toBeGreaterThan(9));

  it('deploys from a script', async () => {
    const [script = ''] = blocks('README.md', 'js');
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
    const { exitCode, stderr } = await execa(
      'sh',
      ['-c', `exec "$0" "$1" ${unattended(line)}`, process.execPath, slipway],
      {
        cwd: repository,
        reject: false,
      },
    );
    expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
  });

  it('has left nothing behind', async () => {
    expect(await local.azure.ownedBy(local.client.identify('efficientnet').uid)).toEqual([]);
  });
});
