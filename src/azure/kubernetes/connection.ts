import type { TokenCredential } from '@azure/core-auth';
import {
  AppsV1Api,
  CoreV1Api,
  KubeConfig,
  ServerConfiguration,
  createConfiguration,
  type Configuration,
} from '@kubernetes/client-node';
import { SlipwayError } from '../../deployment/errors.js';
import type { ClusterRef } from '../clusters.js';
import { userKubeconfig } from '../clusters.js';
import type { AzureConnection } from '../connection.js';
import { REQUEST_TIMEOUT_MS } from './limits.js';

/** What a token for the API server of any AKS cluster is asked for: the application that Azure registers for all of them. */
const AKS_SCOPE = '6dae42f8-4368-4678-94ff-3960e28e3630/.default';

/** A cluster's API, for one activity: it holds credentials, and is dropped when the activity ends. */
export interface Kubernetes {
  readonly config: KubeConfig;
  readonly core: CoreV1Api;
  readonly apps: AppsV1Api;
  readonly abortSignal: AbortSignal;
}

/**
 * Connects to a cluster with its user credentials, which Azure hands out for the asking. Every request ends at the abort
 * signal or after its own timeout, and trusts the authority that the kubeconfig names.
 */
export async function connectToKubernetes(
  azure: AzureConnection,
  ref: ClusterRef,
  abortSignal: AbortSignal,
): Promise<Kubernetes> {
  const yaml = await userKubeconfig(azure, ref, abortSignal);
  const config = new KubeConfig();
  if (yaml !== undefined) config.loadFromString(yaml);
  await signInWithEntra(config, azure.credential, abortSignal);
  const server = config.getCurrentCluster()?.server;
  if (server === undefined) {
    throw new SlipwayError('NoClusterCredentials', `Cluster ${ref.name} gave no usable kubeconfig`, {
      fix: 'Check that the identity may list cluster user credentials and that the cluster has a server.',
    });
  }
  const configuration = withTimeouts(config, server, abortSignal);
  return { config, core: new CoreV1Api(configuration), apps: new AppsV1Api(configuration), abortSignal };
}

/**
 * Gives a kubeconfig of a cluster with Entra sign-in a token. Such a kubeconfig names a program (kubelogin) that would ask
 * for one; the credential that asks Azure for everything else can do that itself.
 */
export async function signInWithEntra(
  config: KubeConfig,
  credential: TokenCredential,
  abortSignal: AbortSignal,
): Promise<void> {
  const user = config.getCurrentUser();
  if (user?.exec === undefined && user?.authProvider === undefined) return;
  const accessToken = await credential.getToken(AKS_SCOPE, { abortSignal });
  config.users = config.users.map((each) =>
    each.name === user.name && accessToken ? { name: each.name, token: accessToken.token } : each,
  );
}

function withTimeouts(config: KubeConfig, server: string, abortSignal: AbortSignal): Configuration {
  return createConfiguration({
    baseServer: new ServerConfiguration(server, {}),
    authMethods: { default: config },
    promiseMiddleware: [
      {
        pre: async (request) => {
          request.setSignal(AbortSignal.any([abortSignal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]));
          return request;
        },
        post: async (response) => response,
      },
    ],
  });
}
