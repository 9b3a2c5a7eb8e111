import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configureResourceManager, isResourceManagerPath } from './arm/server.js';
import { registerAuthorization } from './authorization/provider.js';
import { registerCompute } from './compute/provider.js';
import { registerContainerRegistry } from './containerregistry/provider.js';
import { registerContainerService } from './containerservice/provider.js';
import { registerAdmin } from './core/admin.js';
import { createEmulator, type RunningEmulator } from './core/emulator.js';
import type { EmulatorOptions } from './core/options.js';
import { registerIdentity } from './identity/provider.js';
import { registerMachineLearning } from './machinelearning/provider.js';
import { registerCloud } from './resources/cloud.js';
import { registerGroupRemoval } from './resources/group-removal.js';
import { registerProviders } from './resources/providers.js';
import { registerResourceGroups } from './resources/resource-groups.js';
import { registerResources } from './resources/resources.js';
import { registerSubscriptions } from './resources/subscriptions.js';
import { seed, seeded, seedStorage } from './seed.js';
import { BlobStore } from './storage/blob-store.js';
import { registerStorage } from './storage/provider.js';

/** What a client needs to know to use this Azure; also in `endpoints.json` of the state directory, and in `endpoints.env` as variables. */
export interface Endpoints {
  pid: number;
  /** Resource Manager. */
  arm: string;
  /** Path of the authority's PEM. */
  ca: string;
  tenantId: string;
  clientId: string;
  clientSecret: string;
  authorityHost: string;
  subscriptionId: string;
  resourceGroup: string;
  workspaceName: string;
}

export interface LocalAzure {
  readonly emulator: RunningEmulator;
  readonly endpoints: Endpoints;
}

/** Starts every service, seeds what is missing, and writes `endpoints.json`, where this process's id says that all is ready. */
export async function startLocalAzure(options: EmulatorOptions): Promise<LocalAzure> {
  const emulator = await createEmulator(options);
  try {
    const blobs = await BlobStore.start(emulator);
    seedStorage(emulator, blobs);
    const arm = await emulator.listen(
      'arm',
      async (app) => {
        registerAdmin(app, emulator, { blob: () => blobs.check() });
        configureResourceManager(app, emulator);
        registerCloud(app);
        registerIdentity(app, emulator);
        registerSubscriptions(app, emulator);
        registerResourceGroups(app, emulator);
        registerResources(app, emulator);
        registerProviders(app);
        registerCompute(app, emulator);
        registerStorage(app, emulator, blobs);
        await registerContainerRegistry(app, emulator);
        registerMachineLearning(app, emulator, blobs);
        await registerContainerService(app, emulator);
        registerAuthorization(app, emulator);
        registerGroupRemoval(app, emulator);
      },
      { name: 'arm', caseSensitive: false, serviceOf, ...(options.port !== undefined && { port: options.port }) },
    );
    await seed(emulator, blobs);
    const endpoints = endpointsOf(emulator, arm.url);
    writeAtomically(join(options.state, 'endpoints.env'), `${assignments(endpoints).join('\n')}\n`);
    writeAtomically(join(options.state, 'endpoints.json'), `${JSON.stringify(endpoints, null, 2)}\n`);
    emulator.log.info({ arm: arm.url }, 'ready');
    return { emulator, endpoints };
  } catch (error) {
    await emulator.close();
    throw error;
  }
}

/** `NAME='value'` of each variable that points a client at this Azure, for shells and for `node --env-file`. */
export function assignments(endpoints: Endpoints): string[] {
  const variables = {
    SLIPWAY_AZURE_ENDPOINT: endpoints.arm,
    SLIPWAY_AZURE_CA: endpoints.ca,
    AZURE_AUTHORITY_HOST: endpoints.authorityHost,
    AZURE_TENANT_ID: endpoints.tenantId,
    AZURE_CLIENT_ID: endpoints.clientId,
    AZURE_CLIENT_SECRET: endpoints.clientSecret,
  };
  return Object.entries(variables).map(([name, value]) => `${name}='${value}'`);
}

/** Readable by its owner only: both files hold the client's secret. */
function writeAtomically(file: string, content: string): void {
  writeFileSync(`${file}.new`, content, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** Resource Manager, sign-in and the admin interface share one address; what tests look in with is in no journal. */
function serviceOf(path: string): string | undefined {
  if (isResourceManagerPath(path)) return 'arm';
  return /^\/(healthz|_emulator)(\/|$)/.test(path) ? undefined : 'identity';
}

function endpointsOf(emulator: RunningEmulator, arm: string): Endpoints {
  const { tenantId, clientId, clientSecret } = emulator.tokens.identity;
  return {
    pid: process.pid,
    arm,
    ca: emulator.certificates.caFile,
    tenantId,
    clientId,
    clientSecret,
    authorityHost: arm,
    subscriptionId: emulator.place.subscriptionId,
    resourceGroup: seeded.resourceGroup,
    workspaceName: seeded.workspace,
  };
}
