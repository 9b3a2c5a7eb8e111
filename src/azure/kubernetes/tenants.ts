import type { V1Deployment } from '@kubernetes/client-node';
import { SERVICE_LABEL, isOfService, type Identity } from '../../deployment/names.js';
import type { Kubernetes } from './connection.js';
import { ownerOf } from './objects.js';

/** Namespaces of Kubernetes and of AKS' own add-ons: what runs there is not anyone's service. */
const SYSTEM_NAMESPACES = new Set([
  'kube-system',
  'kube-public',
  'kube-node-lease',
  'gatekeeper-system',
  'calico-system',
  'tigera-operator',
  'aks-command',
  'app-routing-system',
]);

/** Deployments on a cluster that are not this service's and not the system's, as `namespace/name`. */
export async function otherDeployments(kubernetes: Kubernetes, identity: Identity): Promise<string[]> {
  const { items } = await kubernetes.apps.listDeploymentForAllNamespaces();
  return items
    .filter((item) => !SYSTEM_NAMESPACES.has(item.metadata?.namespace ?? '') && !isOfService(ownerOf(item), identity))
    .map(nameOf);
}

/** Deployments of other Slipway services on a cluster, as `namespace/name`: they may live on a right to pull that we granted. */
export async function otherServices(kubernetes: Kubernetes, identity: Identity): Promise<string[]> {
  const { items } = await kubernetes.apps.listDeploymentForAllNamespaces({ labelSelector: SERVICE_LABEL });
  return items.filter((item) => ownerOf(item) !== undefined && !isOfService(ownerOf(item), identity)).map(nameOf);
}

function nameOf({ metadata }: V1Deployment): string {
  return `${metadata?.namespace ?? '?'}/${metadata?.name ?? '?'}`;
}
