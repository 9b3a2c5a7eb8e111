import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findWorkspaceConfig, readWorkspaceConfig } from '../../src/client/workspace-config.js';

const good = `{
  "subscription_id": "6f0c1c9e-51a1-4a57-9d3b-5a1f1f0a0001",
  "resource_group": "group",
  "workspace_name": "yard"
}
`;
const having = (part: string, text: string): string => good.replace(part, text);

describe('config.json', () => {
  let root: string;
  let file: string;

  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'slipway-config-'));
    file = path.join(root, 'config.json');
  });
  afterEach(() => rm(root, { recursive: true }));

  it('that an editor on Windows wrote is read', async () => {
    await writeFile(file, `\uFEFF${good}`);
    expect(await readWorkspaceConfig(file)).toMatchObject({ workspaceName: 'yard' });
  });

  it.each([
    ['is cut off', good.slice(0, 60), /line 2, column \d+: is not JSON/],
    ['has a comma too many', having('"yard"', '"yard",'), /line 5, column 1: is not JSON/],
    ['is empty', '', /line 1, column 1: is not JSON: Unexpected end/],
    ['is a list', '[]', /takes a group of members, and is a list/],
    [
      'has a subscription that is none',
      having('6f0c', 'zzzz'),
      /line 2, column 22: subscription_id takes the id of a subscription, such as .*"zzzz1c9e/,
    ],
    [
      'has a group that Azure would refuse',
      having('"group"', '"gro/up"'),
      /line 3, column 21: resource_group takes letters, digits, -, _, \(, \) and \./,
    ],
    [
      'has a group that ends with a full stop',
      having('"group"', '"group."'),
      /resource_group takes .*not ending with \./,
    ],
    [
      'has a workspace that Azure would refuse',
      having('"yard"', '"my yard"'),
      /line 4, column 21: workspace_name takes letters, digits, - and _, .*3 to 33 characters/,
    ],
    ['has a number as its workspace', having('"yard"', '7'), /workspace_name takes text, and 7 is a number/],
    [
      'lacks a member',
      having(',\n  "workspace_name": "yard"', ''),
      /line 1, column 1: workspace_name is missing; it takes text/,
    ],
    [
      'misspells a member',
      having('subscription_id', 'subscriptionId'),
      /subscription_id is missing[^]*line 2, column 3: subscriptionId is no member; did you mean subscription_id\?/,
    ],
    ['lacks all of them', '{}', /subscription_id is missing[^]*resource_group is missing[^]*workspace_name is missing/],
  ])('that %s is refused, named or found', async (_what, text, problem) => {
    await writeFile(file, text);
    const refused = { code: 'InvalidWorkspaceConfig', message: expect.stringMatching(problem) as string };
    await expect(readWorkspaceConfig(file)).rejects.toMatchObject(refused);
    await expect(findWorkspaceConfig(root)).rejects.toMatchObject(refused);
    await expect(findWorkspaceConfig(root)).rejects.toThrow(file);
  });

  it.each([
    ['is not there', 'conifg.json', 'FileNotFound', 'config.json?'],
    ['is a directory', 'sub', 'FileNotReadable', 'Name the file itself.'],
  ])('that is named and %s is refused', async (_what, name, code, fix) => {
    await writeFile(file, good);
    await mkdir(path.join(root, 'sub'));
    await expect(readWorkspaceConfig(path.join(root, name))).rejects.toMatchObject({
      code,
      message: expect.stringContaining(path.join(root, name)) as string,
      fix: expect.stringContaining(fix) as string,
    });
  });
});
