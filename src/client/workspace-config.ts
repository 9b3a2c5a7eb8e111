import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { SlipwayError } from '../deployment/errors.js';
import type { WorkspacePlace } from '../azure/workspace.js';

/** `config.json` as the Azure portal offers it for download. Other members are left alone. */
const WorkspaceConfig = z
  .object({
    subscription_id: z.guid('a subscription id (GUID)'),
    resource_group: z.string().min(1),
    workspace_name: z.string().min(1),
  })
  .transform((config): WorkspacePlace => ({
    subscriptionId: config.subscription_id,
    resourceGroup: config.resource_group,
    workspaceName: config.workspace_name,
  }));

/** Where a directory may hold the file; the second is what `Workspace.write_config()` of the Azure ML SDK writes. */
const LOCATIONS = ['config.json', path.join('.azureml', 'config.json')];

/**
 * The workspace that a `config.json` names, searched in `from` and every directory above it, as the Azure ML SDK does.
 *
 * @returns undefined when there is none
 * @throws SlipwayError `InvalidWorkspaceConfig` when the first file found is not one
 */
export async function findWorkspaceConfig(from: string): Promise<WorkspacePlace | undefined> {
  for (let directory = path.resolve(from); ; directory = path.dirname(directory)) {
    for (const location of LOCATIONS) {
      const file = path.join(directory, location);
      const text = await readIfPresent(file);
      if (text !== undefined) return parseWorkspaceConfig(text, file);
    }
    if (directory === path.dirname(directory)) return undefined;
  }
}

/**
 * Reads one `config.json`.
 *
 * @throws SlipwayError `InvalidWorkspaceConfig` when it is missing or malformed
 */
export async function readWorkspaceConfig(file: string): Promise<WorkspacePlace> {
  const text = await readIfPresent(file);
  if (text === undefined) throw invalid(file, 'there is no such file');
  return parseWorkspaceConfig(text, file);
}

function parseWorkspaceConfig(text: string, file: string): WorkspacePlace {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw invalid(file, error instanceof Error ? error.message : String(error));
  }
  const parsed = WorkspaceConfig.safeParse(json);
  if (!parsed.success) {
    throw invalid(file, parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '));
  }
  return parsed.data;
}

function invalid(file: string, problem: string): SlipwayError {
  return new SlipwayError('InvalidWorkspaceConfig', `${file}: ${problem}`, {
    fix: 'Download config.json from the workspace’s page in the Azure portal, or write subscription_id, resource_group and workspace_name into it.',
  });
}

async function readIfPresent(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return undefined;
    throw error;
  }
}
