import { SlipwayClient, type WorkspacePlace } from '../client.js';
import { findWorkspaceConfig, noWorkspaceConfig, readWorkspaceConfig } from '../client/workspace-config.js';
import { EXIT } from './exit-codes.js';
import { seededWorkspace } from './local/azure.js';
import { runningStack, stackEnvironment } from './local/stack.js';
import { configuredTemporal } from './local/temporal.js';

export interface SessionOptions {
  /** `config.json` to use, instead of one that is searched. */
  readonly config?: string;
  /** Where else than in the working directory one is searched: beside the deployment file. */
  readonly beside?: string;
  /** False for what does without a workspace; a missing one is then no error. */
  readonly workspaceNeeded?: boolean;
}

/** A client, and where a person can look at what it starts. */
export interface Session {
  readonly client: SlipwayClient;
  /** Address of Temporal's Web UI, where it is known. */
  readonly ui?: string;
}

/**
 * Connects to the Temporal and the Azure that the environment names, or to the local parts that run in another terminal.
 * The environment wins; who uses the local Temporal uses the local Azure too, because its worker does.
 *
 * @throws SlipwayError `NoWorkspaceConfig`, and what {@link readWorkspaceConfig} and `SlipwayClient.connect` throw
 */
export async function openSession({ config, beside, workspaceNeeded = true }: SessionOptions = {}): Promise<Session> {
  const stack = await usableStack();
  const environment = stack ? { ...process.env, ...stackEnvironment(stack.temporal, stack.azure) } : process.env;
  const workspace =
    config !== undefined
      ? await readWorkspaceConfig(config)
      : await searchWorkspace(beside, stack && seededWorkspace(stack.azure));
  // Told before Temporal is asked: that may take its time to answer.
  if (!workspace && workspaceNeeded) throw noWorkspaceConfig([process.cwd(), beside ?? '.']);
  const client = await SlipwayClient.connect({ environment, ...(workspace ? { workspace } : {}) });
  return { client, ...(stack?.temporal.ui ? { ui: stack.temporal.ui } : {}) };
}

/** Does something with a client, and closes it. Answers the exit code. */
export async function withClient(
  options: SessionOptions,
  work: (client: SlipwayClient) => Promise<void>,
): Promise<number> {
  const { client } = await openSession(options);
  try {
    await work(client);
    return EXIT.ok;
  } finally {
    await client.close();
  }
}

/** The stack of this home, unless the environment names another Temporal or another Azure. */
async function usableStack(): ReturnType<typeof runningStack> {
  const stack = await runningStack();
  const elsewhere = configuredTemporal();
  const otherTemporal = elsewhere !== undefined && elsewhere.address !== stack?.temporal.address;
  return otherTemporal || process.env['SLIPWAY_AZURE_ENDPOINT'] !== undefined ? undefined : stack;
}

async function searchWorkspace(
  beside: string | undefined,
  local: WorkspacePlace | undefined,
): Promise<WorkspacePlace | undefined> {
  const found = await findWorkspaceConfig(process.cwd());
  if (found) return found;
  const near = beside === undefined ? undefined : await findWorkspaceConfig(beside);
  return near ?? local;
}

/** Address of a workflow's page in Temporal's Web UI. */
export function workflowPage(ui: string, workflowId: string, runId: string, namespace = 'default'): string {
  return `${ui}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}/${runId}`;
}
