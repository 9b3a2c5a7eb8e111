import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { WorkspacePlace } from '../../client.js';
import { home, packaged } from './home.js';
import { AZURE_START_MS } from './limits.js';
import { startProcess, untilReady, type ProcessOptions, type StartOptions } from './processes.js';
import { pythonEnvironment } from './python.js';

/** `endpoints.json` of the local Azure: what a client needs to speak to it. */
const Endpoints = z.object({
  pid: z.number(),
  arm: z.string(),
  ca: z.string(),
  tenantId: z.string(),
  clientId: z.string(),
  clientSecret: z.string(),
  authorityHost: z.string(),
  subscriptionId: z.string(),
  resourceGroup: z.string(),
  workspaceName: z.string(),
});
export type Endpoints = z.infer<typeof Endpoints>;

/** Where the local Azure keeps its state. */
export const azureState = (): string => home('azure');

/** Command line of the local Azure: state and caches under `.slipway/`, programs from the pinned Python environment. */
export async function azureCommand(extra: readonly string[] = []): Promise<Omit<ProcessOptions, 'name'>> {
  const { uv, packageIndexEnvironment } = await pythonEnvironment();
  const program = packaged('dist', 'emulator', 'main.js');
  const python = path.join(path.dirname(uv), 'python');
  const args = [program, '--state', azureState(), '--cache', home('cache'), '--uv', uv, '--python', python, ...extra];
  return { command: process.execPath, args, env: await packageIndexEnvironment() };
}

/** Starts the local Azure and waits until it answers. */
export async function startAzure(options: StartOptions = {}): Promise<Endpoints> {
  const part = await startProcess({ name: 'azure', ...(await azureCommand()) }, options);
  const ready = async (): Promise<Endpoints | undefined> => {
    const found = await readEndpoints();
    // The file of an earlier run stays until the new one is ready.
    return found?.pid === part.pid ? found : undefined;
  };
  return untilReady(part, AZURE_START_MS, ready, options.signal);
}

/** The addresses of the local Azure that ran last. */
export async function readEndpoints(): Promise<Endpoints | undefined> {
  try {
    return Endpoints.parse(JSON.parse(await readFile(`${azureState()}/endpoints.json`, 'utf8')));
  } catch {
    return undefined;
  }
}

/** The environment that points a client or worker at it. */
export function azureEnvironment(endpoints: Endpoints): Record<string, string> {
  return {
    SLIPWAY_AZURE_ENDPOINT: endpoints.arm,
    SLIPWAY_AZURE_CA: endpoints.ca,
    AZURE_AUTHORITY_HOST: endpoints.authorityHost,
    AZURE_TENANT_ID: endpoints.tenantId,
    AZURE_CLIENT_ID: endpoints.clientId,
    AZURE_CLIENT_SECRET: endpoints.clientSecret,
  };
}

/** The workspace that it was seeded with. */
export function seededWorkspace({ subscriptionId, resourceGroup, workspaceName }: Endpoints): WorkspacePlace {
  return { subscriptionId, resourceGroup, workspaceName };
}
