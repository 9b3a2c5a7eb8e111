import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findWorkspaceConfig } from '../../src/client/workspace-config.js';

const config = (name: string): string =>
  JSON.stringify({
    subscription_id: '6f0c1c9e-51a1-4a57-9d3b-5a1f1f0a0001',
    resource_group: 'group',
    workspace_name: name,
    // What a person adds is none of our business.
    comment: 'mine',
  });

describe('config.json', () => {
  let root: string;
  let deep: string;

  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'slipway-config-'));
    deep = path.join(root, 'a', 'b');
    await mkdir(path.join(root, 'a', '.azureml'), { recursive: true });
    await mkdir(deep, { recursive: true });
  });
  afterEach(() => rm(root, { recursive: true }));

  it('is found in a directory above', async () => {
    await writeFile(path.join(root, 'config.json'), config('outer'));
    expect(await findWorkspaceConfig(deep)).toEqual({
      subscriptionId: '6f0c1c9e-51a1-4a57-9d3b-5a1f1f0a0001',
      resourceGroup: 'group',
      workspaceName: 'outer',
    });
  });

  it('of the nearest directory wins, where the Azure ML SDK wrote it too', async () => {
    await writeFile(path.join(root, 'config.json'), config('outer'));
    await writeFile(path.join(root, 'a', '.azureml', 'config.json'), config('inner'));
    expect(await findWorkspaceConfig(deep)).toMatchObject({ workspaceName: 'inner' });
  });
});
