import { describe, expect, it } from 'vitest';
import { candidateService, keysSecret, releaseDeployment, tlsSecretsOf } from '../../src/azure/kubernetes/manifests.js';
import { ownershipMark } from '../../src/deployment/names.js';
import { someRelease } from '../fixtures/release.js';

const input = someRelease();
const pod = (release = input) => releaseDeployment(release, 'acr.example').spec?.template.spec;
const container = (release = input) => pod(release)?.containers[0];
const environment = (release = input) => new Map(container(release)?.env?.map(({ name, value }) => [name, value]));

describe('the Deployment of a release', () => {
  it('runs the image by its digest, so that no tag can change what is live', () => {
    expect(container()?.image).toBe(`acr.example/slipway/${input.identity.uid}@${input.image.digest}`);
  });

  it('selects its own pods and no other release', () => {
    const spec = releaseDeployment(input, 'acr.example').spec;
    expect(spec?.selector.matchLabels).toEqual(spec?.template.metadata?.labels);
    expect(spec?.selector.matchLabels?.['slipway.dev/release']).toBe(input.image.tag);
  });

  it('keeps every label value within the 63 characters that Kubernetes allows', () => {
    for (const value of Object.values(releaseDeployment(input, 'acr.example').metadata?.labels ?? {})) {
      expect(value.length).toBeLessThanOrEqual(63);
    }
  });

  it('carries the mark on itself, on its pods, on its Service and on its Secret', () => {
    const mark = ownershipMark(input.identity);
    const deployment = releaseDeployment(input, 'acr.example');
    const secret = keysSecret(input, { primary: 'a', secondary: 'b' });
    for (const { metadata } of [deployment, deployment.spec?.template ?? {}, candidateService(input), secret]) {
      expect(metadata?.annotations?.['slipway.dev/owner']).toBe(mark);
    }
  });

  it('says which models and which image it is made of', () => {
    expect(releaseDeployment(input, 'acr.example').metadata?.annotations).toMatchObject({
      'slipway.dev/release-digest': input.image.releaseDigest,
      'slipway.dev/image-digest': input.image.digest,
      'slipway.dev/source-model': 'pets:3',
      'slipway.dev/converted-model': 'pets-onnx:3',
    });
  });

  it('lets the server drain before it is killed', () => {
    const drain = Number(environment().get('DRAIN_SECONDS'));
    expect(pod()?.terminationGracePeriodSeconds).toBeGreaterThan(drain);
  });

  it('runs without root, without new privileges and without a token of the cluster', () => {
    expect(pod()).toMatchObject({ automountServiceAccountToken: false, securityContext: { runAsNonRoot: true } });
    expect(container()?.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  it('asks for exactly what it may use', () => {
    expect(container()?.resources?.requests).toEqual(container()?.resources?.limits);
  });

  it.each([
    ['500m', '1'],
    ['1', '1'],
    ['2', '2'],
    ['3500m', '3'],
  ])('with %s CPU scores on %s threads', (cpu, threads) => {
    expect(environment(someRelease({ scoring: { cpu } })).get('WORKER_THREADS')).toBe(threads);
  });

  it('batches where the deployment file says so', () => {
    expect(environment(someRelease()).get('MAX_BATCH_SIZE')).toBeUndefined();
    const batched = environment(someRelease({ scoring: { batching: { maxBatchSize: 4, timeoutMilliseconds: 5 } } }));
    expect([batched.get('MAX_BATCH_SIZE'), batched.get('BATCH_TIMEOUT_MS')]).toEqual(['4', '5']);
  });

  it('mounts the keys only where callers need one', () => {
    expect(environment().get('SCORING_KEYS_DIR')).toBe(container()?.volumeMounts?.[0]?.mountPath);
    const open = someRelease({ scoring: { auth: 'none' } });
    expect(environment(open).has('SCORING_KEYS_DIR')).toBe(false);
    expect(pod(open)?.volumes).toBeUndefined();
  });

  it('mounts certificate and key where TLS is asked for, and nothing else of their Secret', () => {
    const secured = someRelease({ scoring: { tls: { secret: 'front' } } });
    const items = ['tls.crt', 'tls.key'].map((key) => ({ key, path: key }));
    expect(pod(secured)?.volumes).toContainEqual({ name: 'tls', secret: { secretName: 'front', items } });
    const directory = container(secured)?.volumeMounts?.find(({ name }) => name === 'tls')?.mountPath;
    expect(environment(secured).get('TLS_CERT_FILE')).toBe(`${directory}/tls.crt`);
    expect(environment(secured).get('TLS_KEY_FILE')).toBe(`${directory}/tls.key`);
    expect(tlsSecretsOf(releaseDeployment(secured, 'acr.example'))).toEqual({ secret: 'front' });
    expect(environment(secured).has('TLS_CLIENT_CA_FILE')).toBe(false);
    expect(environment().has('TLS_CERT_FILE')).toBe(false);
    expect(tlsSecretsOf(releaseDeployment(input, 'acr.example'))).toBeUndefined();
  });

  it('mounts the authority of the clients without the key beside it', () => {
    const mutual = someRelease({ scoring: { tls: { secret: 'front', clientSecret: 'callers' } } });
    const items = [{ key: 'ca.crt', path: 'ca.crt' }];
    expect(pod(mutual)?.volumes).toContainEqual({ name: 'clients', secret: { secretName: 'callers', items } });
    const directory = container(mutual)?.volumeMounts?.find(({ name }) => name === 'clients')?.mountPath;
    expect(environment(mutual).get('TLS_CLIENT_CA_FILE')).toBe(`${directory}/ca.crt`);
    expect(tlsSecretsOf(releaseDeployment(mutual, 'acr.example'))).toEqual({
      secret: 'front',
      clientSecret: 'callers',
    });
  });

  it('probes plain HTTP: alive by /healthz, ready by /readyz', () => {
    expect(container()?.livenessProbe?.httpGet).toEqual({ path: '/healthz', port: 8501 });
    expect(container()?.readinessProbe?.httpGet).toEqual({ path: '/readyz', port: 8501 });
    expect(container()?.startupProbe?.httpGet).toEqual({ path: '/readyz', port: 8501 });
  });
});

describe('the candidate Service', () => {
  it('is not reachable from outside of the cluster', () => {
    expect(candidateService(input).spec?.type).toBe('ClusterIP');
  });
});
