import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { WorkspacePlace } from '../azure/workspace.js';
import { SlipwayError } from '../deployment/errors.js';
import { resourceGroupName, workspaceName } from '../deployment/name-rules.js';
import { closest } from '../deployment/closest.js';
import { listProblems, SourceDocument, type Problem } from './document.js';
import { readNamedFile } from './local-file.js';
import { schemaProblems } from './schema-problems.js';

/** `config.json` as the Azure portal offers it for download. Other members are left alone. */
const WorkspaceConfig = z.object({
  subscription_id: z.guid('the id of a subscription, such as 6f0c1c9e-51a1-4a57-9d3b-5a1f1f0a0001'),
  resource_group: resourceGroupName,
  workspace_name: workspaceName,
});

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
 * @throws SlipwayError `InvalidWorkspaceConfig`, `FileNotFound`, `FileNotReadable`
 */
export async function readWorkspaceConfig(file: string): Promise<WorkspacePlace> {
  return parseWorkspaceConfig((await readNamedFile(file, 'the workspace’s config.json')).toString('utf8'), file);
}

/** That there is no `config.json` in any of the directories or above. */
export function noWorkspaceConfig(directories: readonly string[]): SlipwayError {
  const places = [...new Set(directories.map((directory) => path.resolve(directory)))].join(' or ');
  return new SlipwayError('NoWorkspaceConfig', `There is no config.json in ${places} or above`, {
    fix: 'Download it from the workspace’s page in the Azure portal, or name one with --config.',
  });
}

function parseWorkspaceConfig(content: string, file: string): WorkspacePlace {
  // Editors on Windows begin a file with a byte order mark, which JSON does not know.
  const text = content.replace(/^\uFEFF/, '');
  const source = SourceDocument.parse(text);
  const parsed = WorkspaceConfig.safeParse(parseJson(text, file), { reportInput: true });
  if (!parsed.success) {
    const problems = schemaProblems(parsed.error, WorkspaceConfig, source);
    throw invalid(file, [...problems, ...misspelt(parsed.error, source)]);
  }
  const { subscription_id, resource_group, workspace_name } = parsed.data;
  return { subscriptionId: subscription_id, resourceGroup: resource_group, workspaceName: workspace_name };
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const offset = Number(/at position (\d+)/.exec(message)?.[1] ?? text.length);
    const before = text.slice(0, offset).split('\n');
    const at = { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
    throw invalid(file, [{ message: `is not JSON: ${message.replace(/ in JSON at position.*/s, '')}`, at }]);
  }
}

/** Members of the file that may stand for one that it lacks. */
function misspelt({ issues }: z.ZodError, source: SourceDocument): Problem[] {
  const known = Object.keys(WorkspaceConfig.shape);
  const missing = issues.filter(({ input }) => input === undefined).map(({ path: [key] }) => String(key));
  const names = z.record(z.string(), z.unknown()).safeParse(source.value).data ?? {};
  return Object.keys(names)
    .filter((key) => !known.includes(key))
    .flatMap((key): Problem[] => {
      const near = closest(key, missing);
      return near ? [{ message: `${key} is no member; did you mean ${near}?`, at: source.positionOfKey([key]) }] : [];
    });
}

function invalid(file: string, problems: readonly Problem[]): SlipwayError {
  return new SlipwayError('InvalidWorkspaceConfig', listProblems(file, problems), {
    fix: 'Download config.json from the workspace’s page in the Azure portal, or write subscription_id, resource_group and workspace_name into it.',
  });
}

async function readIfPresent(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    // A directory of that name is someone else's.
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined;
    throw new SlipwayError('FileNotReadable', `${file} cannot be read: ${String(error)}`, { cause: error });
  }
}
