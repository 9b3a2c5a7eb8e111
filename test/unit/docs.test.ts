import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { main } from '../../src/cli/main.js';

const root = path.resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');

const pages = ['.', 'docs', 'conversion', 'samples'].flatMap((directory) =>
  readdirSync(path.join(root, directory))
    .filter((file) => file.endsWith('.md'))
    .map((file) => path.join(directory, file)),
);

/** The address that a heading gets: lower case, punctuation gone, spaces as hyphens. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const anchorsOf = (file: string): string[] =>
  [...read(file).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchor(heading));

/** What stands in fenced blocks and code spans, by line: where commands are named. */
const code = (page: string): string[] => {
  const text = read(page);
  const blocks = [...text.matchAll(/^ *```\w*\n([\s\S]*?)^ *```/gm)].flatMap(([, block = '']) => block.split('\n'));
  const spans = [...text.replace(/^ *```[\s\S]*?^ *```/gm, '').matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span);
  return [...blocks, ...spans].map((line) => line.replace(/ #.*$/, '').trim());
};

interface Call {
  readonly page: string;
  readonly words: string[];
}

/** Every call of a command that begins with `prefix`, as the words after it. */
const calls = (prefix: RegExp): Call[] =>
  pages.flatMap((page) =>
    code(page)
      .filter((line) => prefix.test(line))
      .map((line) => ({ page, words: line.replace(prefix, '').split(/\s+/).filter(Boolean) })),
  );

/** Commands that are groups of commands. */
const GROUPS = ['keys', 'models', 'schedule'];

/** What a command prints for `--help`. */
async function helpOf(...words: string[]): Promise<string> {
  let text = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  await main([...words, '--help']);
  vi.restoreAllMocks();
  return text;
}

afterEach(() => vi.restoreAllMocks());

describe('the documentation', () => {
  const links = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = '']) => ({ page, target }))
      .filter(({ target }) => !/^[a-z]+:/.test(target)),
  );

  it.each(links)('$page links to $target, which is there', ({ page, target }) => {
    const [file = '', heading] = target.split('#');
    const linked = file === '' ? page : path.join(path.dirname(page), file);
    expect(existsSync(path.join(root, linked))).toBe(true);
    if (heading !== undefined) expect(anchorsOf(linked)).toContain(heading);
  });

  it.each(readdirSync(path.join(root, 'docs')))('docs/%s is linked to by the README', (page) => {
    expect(read('README.md')).toContain(`(docs/${page}`);
  });

  it.each(calls(/^npm (?=run|test)/))('$page: npm $words is a script', ({ words: [verb, ...rest] }) => {
    const { scripts } = z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(read('package.json')));
    expect(scripts).toHaveProperty((verb === 'run' ? rest[0] : verb) ?? '');
    if (verb !== 'test') return;
    for (const phase of rest.slice(1)) expect(read('scripts/test.mjs')).toMatch(new RegExp(`^  ${phase}: `, 'm'));
  });

  it.each(calls(/^(npx |docker compose run --rm )?slipway (?=[a-z])/))(
    '$page: slipway $words is a command',
    async ({ words: [command = '', ...rest] }) => {
      expect(await helpOf()).toMatch(new RegExp(`^  ${command}\\b`, 'm'));
      const options = rest.filter((word) => word.startsWith('--'));
      if (options.length === 0) return;
      const group = GROUPS.includes(command) ? rest.slice(0, 1) : [];
      const help = await helpOf(command, ...group);
      for (const option of options) expect(help).toContain(`${option} `);
    },
  );

  it.each(calls(/^docker compose (?=run)/))('$page: docker compose $words names a service', ({ words }) => {
    const [, service = ''] = words.filter((word) => !word.startsWith('--'));
    const { services } = z
      .object({ services: z.record(z.string(), z.unknown()) })
      .parse(parse(read('docker-compose.yml')));
    expect(services).toHaveProperty(service);
  });
});
