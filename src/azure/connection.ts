import { readFileSync } from 'node:fs';
import { AuthorizationManagementClient } from '@azure/arm-authorization';
import { ComputeManagementClient } from '@azure/arm-compute';
import { ContainerRegistryManagementClient } from '@azure/arm-containerregistry';
import { ContainerServiceClient } from '@azure/arm-containerservice';
import { AzureMachineLearningWorkspaces } from '@azure/arm-machinelearning';
import { StorageManagementClient } from '@azure/arm-storage';
import { ContainerRegistryClient, ContainerRegistryContentClient } from '@azure/container-registry';
import type { TokenCredential } from '@azure/core-auth';
import { AzureAuthorityHosts, ClientSecretCredential, DefaultAzureCredential } from '@azure/identity';
import { BlobServiceClient } from '@azure/storage-blob';
import { z } from 'zod';
import { SlipwayError } from '../deployment/errors.js';
import { errorAnswerPolicy } from './error-answer-policy.js';

/** Azure Resource Manager of the public cloud. */
const PUBLIC_ARM = 'https://management.azure.com';
/** What a token for Resource Manager is asked for, at whatever address it answers. */
export const ARM_SCOPE = `${PUBLIC_ARM}/.default`;

const httpsUrl = z
  .url({ protocol: /^https$/, error: 'an https:// address' })
  .transform((url) => url.replace(/\/+$/, ''));

/**
 * The environment that decides where Azure is. `AZURE_*` are the names of `@azure/identity`; an authority of one's own needs
 * all three of tenant, client and secret.
 */
const Environment = z.object({
  SLIPWAY_AZURE_ENDPOINT: httpsUrl.optional(),
  SLIPWAY_AZURE_CA: z.string().min(1).optional(),
  AZURE_AUTHORITY_HOST: httpsUrl.optional(),
  AZURE_TENANT_ID: z.string().optional(),
  AZURE_CLIENT_ID: z.string().optional(),
  AZURE_CLIENT_SECRET: z.string().optional(),
});
type Environment = z.infer<typeof Environment>;

/** Where Azure answers and who asks: the clients that every room uses, all with the same endpoint, CA and credential. */
export interface AzureConnection {
  readonly credential: TokenCredential;
  /** Address of Resource Manager, without a slash at the end. */
  readonly arm: string;
  /** PEM of the authority that signs the endpoints' certificates; absent for the public ones. */
  readonly ca: string | undefined;
  machineLearning(subscriptionId: string): AzureMachineLearningWorkspaces;
  compute(subscriptionId: string): ComputeManagementClient;
  containerService(subscriptionId: string): ContainerServiceClient;
  containerRegistry(subscriptionId: string): ContainerRegistryManagementClient;
  storage(subscriptionId: string): StorageManagementClient;
  authorization(subscriptionId: string): AuthorizationManagementClient;
  /** @param endpoint the storage account's `primaryEndpoints.blob` */
  blobs(endpoint: string): BlobServiceClient;
  /** @param loginServer the registry's own `loginServer` (`host` or `host:port`) */
  registry(loginServer: string): ContainerRegistryClient;
  registryContent(loginServer: string, repository: string): ContainerRegistryContentClient;
}

/**
 * The one place that decides which Azure is spoken to: the public cloud, or the endpoint that the environment names.
 *
 * @throws SlipwayError `InvalidEnvironment` when a variable is malformed or the CA cannot be read
 */
export function connectToAzure(environment: NodeJS.ProcessEnv = process.env): AzureConnection {
  const settings = parseEnvironment(environment);
  const ca = settings.SLIPWAY_AZURE_CA === undefined ? undefined : readCa(settings.SLIPWAY_AZURE_CA);
  // One object for all clients: the SDKs keep one connection pool per identity of their TLS settings.
  const tls = ca === undefined ? {} : { tlsOptions: { ca } };
  const credential = credentialFrom(settings, tls);
  const common = { ...tls, userAgentOptions: { userAgentPrefix: `slipway/${packageVersion()}` } };
  const arm = settings.SLIPWAY_AZURE_ENDPOINT ?? PUBLIC_ARM;
  // Temporal retries, so that its UI shows it; retries inside the SDKs would hide outages.
  const options = { ...common, endpoint: arm, retryOptions: { maxRetries: 0 } };
  const readingErrors = {
    ...options,
    additionalPolicies: [{ policy: errorAnswerPolicy, position: 'perCall' as const }],
  };
  const dataPlane = { ...common, retryOptions: { maxRetries: 0 } };
  const storageOptions = { ...common, retryOptions: { maxTries: 1 } };
  return {
    credential,
    arm,
    ca,
    machineLearning: perKey(
      (id) => new AzureMachineLearningWorkspaces(credential, id, { ...options, credentialScopes: ARM_SCOPE }),
    ),
    compute: perKey((id) => new ComputeManagementClient(credential, id, readingErrors)),
    containerService: perKey((id) => new ContainerServiceClient(credential, id, readingErrors)),
    containerRegistry: perKey((id) => new ContainerRegistryManagementClient(credential, id, readingErrors)),
    storage: perKey((id) => new StorageManagementClient(credential, id, readingErrors)),
    authorization: perKey(
      (id) => new AuthorizationManagementClient(credential, id, { ...options, credentialScopes: ARM_SCOPE }),
    ),
    blobs: perKey((endpoint) => new BlobServiceClient(endpoint, credential, storageOptions)),
    registry: perKey((host) => new ContainerRegistryClient(`https://${host}`, credential, dataPlane)),
    registryContent: (host, repository) =>
      new ContainerRegistryContentClient(`https://${host}`, repository, credential, dataPlane),
  };
}

function parseEnvironment(environment: NodeJS.ProcessEnv): Environment {
  const parsed = Environment.safeParse(environment);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')} must be ${issue.message}`);
  throw new SlipwayError('InvalidEnvironment', problems.join('; '), {
    fix: 'Correct the variables, or unset them to use the public cloud with your own sign-in.',
  });
}

function readCa(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new SlipwayError('InvalidEnvironment', `SLIPWAY_AZURE_CA names ${path}, which cannot be read`, {
      fix: 'Name the PEM file of the certificate authority.',
      cause,
    });
  }
}

function credentialFrom(settings: Environment, tls: { tlsOptions?: { ca: string } }): TokenCredential {
  const authorityHost = settings.AZURE_AUTHORITY_HOST;
  if (authorityHost === undefined || isMicrosofts(authorityHost)) return new DefaultAzureCredential();
  const { AZURE_TENANT_ID: tenant, AZURE_CLIENT_ID: client, AZURE_CLIENT_SECRET: secret } = settings;
  if (!tenant || !client || !secret) {
    throw new SlipwayError(
      'InvalidEnvironment',
      `AZURE_AUTHORITY_HOST is ${authorityHost}, but who signs in is not said`,
      {
        fix: 'Set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET too.',
      },
    );
  }
  // Instance discovery asks Microsoft's own address whether the authority is known: it is not, and need not be reachable.
  return new ClientSecretCredential(tenant, client, secret, {
    ...tls,
    authorityHost,
    disableInstanceDiscovery: true,
    retryOptions: { maxRetries: 0 },
  });
}

function isMicrosofts(authorityHost: string): boolean {
  const host = new URL(authorityHost).host;
  return Object.values(AzureAuthorityHosts).some((known) => new URL(known).host === host);
}

function packageVersion(): string {
  const file = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return z.object({ version: z.string() }).parse(JSON.parse(file)).version;
}

/** Makes one client per key and keeps it. */
function perKey<C>(create: (key: string) => C): (key: string) => C {
  const clients = new Map<string, C>();
  return (key) => {
    const client = clients.get(key) ?? create(key);
    clients.set(key, client);
    return client;
  };
}
