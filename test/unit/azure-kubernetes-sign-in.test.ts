import { KubeConfig } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { signInWithEntra } from '../../src/azure/kubernetes/connection.js';

const credential = {
  getToken: async (scope: string | string[]) => ({ token: `for ${String(scope)}`, expiresOnTimestamp: 0 }),
};

function kubeconfig(user: object): KubeConfig {
  const config = new KubeConfig();
  const named = { name: 'clusterUser', user };
  config.loadFromString(
    JSON.stringify({
      clusters: [{ name: 'c', cluster: { server: 'https://cluster.example' } }],
      users: [named],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'clusterUser' } }],
      'current-context': 'x',
    }),
  );
  return config;
}

describe('signing in to a cluster', () => {
  it('asks Entra itself where the kubeconfig names a program that would', async () => {
    const config = kubeconfig({ exec: { apiVersion: 'client.authentication.k8s.io/v1beta1', command: 'kubelogin' } });
    await signInWithEntra(config, credential, AbortSignal.timeout(1000));
    expect(config.getCurrentUser()).toEqual({
      name: 'clusterUser',
      token: 'for 6dae42f8-4368-4678-94ff-3960e28e3630/.default',
    });
  });

  it('keeps the credentials that the kubeconfig holds', async () => {
    const config = kubeconfig({ token: 'own' });
    await signInWithEntra(config, credential, AbortSignal.timeout(1000));
    expect(config.getCurrentUser()?.token).toBe('own');
  });
});
