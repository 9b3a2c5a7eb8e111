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
  const server = config.getCurrentCluster()?.server;
  if (server === undefined) {
    throw new SlipwayError('NoClusterCredentials', `Cluster ${ref.name} gave no usable kubeconfig`, {
      fix: 'Check that the identity may list cluster user credentials and that the cluster has a server.',
    });
  }
  const configuration = withTimeouts(config, server, abortSignal);
  return { config, core: new CoreV1Api(configuration), apps: new AppsV1Api(configuration), abortSignal };
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
