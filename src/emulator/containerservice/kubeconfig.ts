import { stringify } from 'yaml';

/** The kubeconfig of a cluster as Azure hands it out, YAML. */
export function kubeconfig(options: {
  cluster: string;
  resourceGroup: string;
  role: 'clusterUser' | 'clusterAdmin';
  server: string;
  /** Certificate authority of the API server, PEM. */
  ca: string;
  token: string;
}): string {
  const { cluster, resourceGroup, role, server, ca, token } = options;
  const user = `${role}_${resourceGroup}_${cluster}`;
  const context = role === 'clusterAdmin' ? `${cluster}-admin` : cluster;
  return stringify({
    apiVersion: 'v1',
    clusters: [
      { cluster: { 'certificate-authority-data': Buffer.from(ca).toString('base64'), server }, name: cluster },
    ],
    contexts: [{ context: { cluster, user }, name: context }],
    'current-context': context,
    kind: 'Config',
    preferences: {},
    users: [{ name: user, user: { token } }],
  });
}
