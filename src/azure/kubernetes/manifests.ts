import type {
  V1Container,
  V1Deployment,
  V1EnvVar,
  V1ObjectMeta,
  V1Probe,
  V1Secret,
  V1Service,
  V1Volume,
} from '@kubernetes/client-node';
import type { ReleaseInput } from '../../deployment/activities.js';
import {
  OWNER_ANNOTATION,
  RELEASE_LABEL,
  SERVICE_LABEL,
  ownershipMark,
  releaseName,
  shortDigest,
} from '../../deployment/names.js';
import { DRAIN_SECONDS, STARTUP_FAILURES, STARTUP_PERIOD_SECONDS, TERMINATION_GRACE_SECONDS } from './limits.js';

/** Every object of Slipway lives here: the namespace that each cluster has. */
export const NAMESPACE = 'default';
/** Port of the TensorFlow Serving gRPC API, in the pod and on the Services. */
export const GRPC_PORT = 8500;
/** Port of the probes: plain HTTP, because gRPC probes do not speak TLS. */
export const HTTP_PORT = 8501;
/** Port of REST where the server speaks TLS; without it, REST is on the plain port. */
const HTTPS_PORT = 8502;
/** User and group that the image runs as. */
const SCORING_USER = 1000;
const KEYS_DIR = '/run/slipway/keys';
const KEYS_VOLUME = 'keys';
const TLS_DIR = '/run/slipway/tls';
const TLS_VOLUME = 'tls';
/** Certificate and key in a Secret of type `kubernetes.io/tls`. */
export const TLS_MEMBERS = ['tls.crt', 'tls.key'] as const;
/** Authority in such a Secret, where it is a private one: what cert-manager calls it too. */
export const CA_MEMBER = 'ca.crt';
const CLIENTS_DIR = '/run/slipway/clients';
const CLIENTS_VOLUME = 'clients';
const CONTAINER = 'scoring';

export const RELEASE_DIGEST_ANNOTATION = 'slipway.dev/release-digest';
export const IMAGE_DIGEST_ANNOTATION = 'slipway.dev/image-digest';
/** `name:version` of the registered model that the release was converted from. */
export const SOURCE_MODEL_ANNOTATION = 'slipway.dev/source-model';
/** `name:version` of the converted model in the image. */
export const CONVERTED_MODEL_ANNOTATION = 'slipway.dev/converted-model';

/** The two keys of a service; either opens it, so that one can be changed while callers use the other. */
export interface ScoringKeys {
  readonly primary: string;
  readonly secondary: string;
}

/** Labels that select the pods of one release, and nothing else. */
export function releaseLabels(service: string, releaseDigest: string): Record<string, string> {
  return { [SERVICE_LABEL]: service, [RELEASE_LABEL]: shortDigest(releaseDigest) };
}

/**
 * The Deployment of a release. Each release has its own, named by its digest, so that it is never rolled: the public Service
 * moves from one to the next.
 *
 * @param loginServer host of the registry that holds the image
 */
export function releaseDeployment(input: ReleaseInput, loginServer: string): V1Deployment {
  const labels = releaseLabels(input.identity.service, input.image.releaseDigest);
  const owner = { [OWNER_ANNOTATION]: ownershipMark(input.identity) };
  const name = nameOf(input);
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata(input, {
      [RELEASE_DIGEST_ANNOTATION]: input.image.releaseDigest,
      [IMAGE_DIGEST_ANNOTATION]: input.image.digest,
      [SOURCE_MODEL_ANNOTATION]: `${input.source.name}:${input.source.version}`,
      [CONVERTED_MODEL_ANNOTATION]: `${input.converted.name}:${input.converted.version}`,
    }),
    spec: {
      replicas: input.scoring.replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels, annotations: owner },
        spec: {
          // A scoring server asks nothing of the API server, and the names of other Services are not its business.
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: TERMINATION_GRACE_SECONDS,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: SCORING_USER,
            runAsGroup: SCORING_USER,
            fsGroup: SCORING_USER,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [scoringContainer(input, loginServer)],
          ...podVolumes(input, name),
        },
      },
    },
  };
}

/** Names of the Secrets with what a release's server shows, and whom it trusts; undefined for a plain one. */
export function tlsSecretsOf({ spec }: V1Deployment): NonNullable<ReleaseInput['scoring']['tls']> | undefined {
  const secretIn = (volume: string) =>
    spec?.template.spec?.volumes?.find(({ name }) => name === volume)?.secret?.secretName;
  const secret = secretIn(TLS_VOLUME);
  return secret === undefined ? undefined : { secret, clientSecret: secretIn(CLIENTS_VOLUME) };
}

/** A ClusterIP Service for what looks at a release from inside the cluster before the public Service selects it. */
export function candidateService(input: ReleaseInput): V1Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(input),
    spec: {
      type: 'ClusterIP',
      selector: releaseLabels(input.identity.service, input.image.releaseDigest),
      ports: [grpcPort()],
    },
  };
}

/** The Secret with a release's keys. */
export function keysSecret(input: ReleaseInput, keys: ScoringKeys): V1Secret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: metadata(input),
    data: encoded(keys),
  };
}

/** The keys in a Secret; undefined when it does not hold both. */
export function keysOf({ data }: V1Secret): ScoringKeys | undefined {
  const { primary, secondary } = data ?? {};
  return primary && secondary ? { primary: decode(primary), secondary: decode(secondary) } : undefined;
}

/** A Secret with other keys. */
export function withKeys(secret: V1Secret, keys: ScoringKeys): V1Secret {
  return { ...secret, data: { ...secret.data, ...encoded(keys) } };
}

/** A port of a Service. `appProtocol` stays unset: with it, Azure's load balancer would probe HTTP on the port. */
interface ServicePort {
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
  readonly targetPort: number;
}

export function grpcPort(): ServicePort {
  return { name: 'grpc', protocol: 'TCP', port: GRPC_PORT, targetPort: GRPC_PORT };
}

/** @param port as {@link restPortOf} gives it */
export function restPort(port: number): ServicePort {
  return { name: 'rest', protocol: 'TCP', port, targetPort: port };
}

/** Where a release answers REST from outside of the cluster; undefined where it does not. */
export function restPortOf({ rest, tls }: ReleaseInput['scoring']): number | undefined {
  if (!rest) return undefined;
  return tls ? HTTPS_PORT : HTTP_PORT;
}

/**
 * The Secrets that a pod reads: the release's own keys, and of the user's the server's certificate with its key, and the
 * authority of the clients without the key beside it.
 */
function podVolumes({ scoring }: ReleaseInput, release: string): { volumes?: V1Volume[] } {
  const { auth, tls } = scoring;
  const members = (names: readonly string[]) => names.map((member) => ({ key: member, path: member }));
  const volumes: V1Volume[] = [
    ...(auth === 'key' ? [{ name: KEYS_VOLUME, secret: { secretName: release } }] : []),
    ...(tls ? [{ name: TLS_VOLUME, secret: { secretName: tls.secret, items: members(TLS_MEMBERS) } }] : []),
    ...(tls?.clientSecret
      ? [{ name: CLIENTS_VOLUME, secret: { secretName: tls.clientSecret, items: members([CA_MEMBER]) } }]
      : []),
  ];
  return volumes.length > 0 ? { volumes } : {};
}

function batchingEnvironment({ batching }: ReleaseInput['scoring']): V1EnvVar[] {
  if (!batching) return [];
  return [
    { name: 'MAX_BATCH_SIZE', value: String(batching.maxBatchSize) },
    { name: 'BATCH_TIMEOUT_MS', value: String(batching.timeoutMilliseconds) },
  ];
}

function scoringContainer(input: ReleaseInput, loginServer: string): V1Container {
  const { scoring, image, source } = input;
  const withKeys = scoring.auth === 'key';
  const mounts = [
    ...(withKeys ? [{ name: KEYS_VOLUME, mountPath: KEYS_DIR, readOnly: true }] : []),
    ...(scoring.tls ? [{ name: TLS_VOLUME, mountPath: TLS_DIR, readOnly: true }] : []),
    ...(scoring.tls?.clientSecret ? [{ name: CLIENTS_VOLUME, mountPath: CLIENTS_DIR, readOnly: true }] : []),
  ];
  const resources = { cpu: scoring.cpu, memory: scoring.memory };
  return {
    name: CONTAINER,
    image: `${loginServer}/${image.repository}@${image.digest}`,
    env: [
      { name: 'MODEL_NAME', value: source.name },
      { name: 'MODEL_VERSION', value: source.version },
      { name: 'MAX_CONNECTION_AGE_SECONDS', value: String(scoring.connectionAgeSeconds) },
      { name: 'DRAIN_SECONDS', value: String(DRAIN_SECONDS) },
      // The pod's share of CPU, not the node's: more threads than CPUs make every request slower.
      { name: 'WORKER_THREADS', value: String(wholeCpus(scoring.cpu)) },
      { name: 'INTRA_OP_THREADS', value: '1' },
      ...batchingEnvironment(scoring),
      ...(withKeys ? [{ name: 'SCORING_KEYS_DIR', value: KEYS_DIR }] : []),
      ...(scoring.tls ? tlsEnvironment(scoring.tls) : []),
    ],
    ports: [
      { name: 'grpc', containerPort: GRPC_PORT },
      { name: 'http', containerPort: HTTP_PORT },
      ...(scoring.tls ? [{ name: 'https', containerPort: HTTPS_PORT }] : []),
    ],
    // Requests equal to limits: a neighbour's load cannot move the latency of a scoring service.
    resources: { requests: resources, limits: resources },
    startupProbe: {
      ...httpProbe('/readyz'),
      periodSeconds: STARTUP_PERIOD_SECONDS,
      failureThreshold: STARTUP_FAILURES,
    },
    readinessProbe: { ...httpProbe('/readyz'), periodSeconds: 5, failureThreshold: 2 },
    livenessProbe: { ...httpProbe('/healthz'), periodSeconds: 10, failureThreshold: 3 },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    ...(mounts.length > 0 ? { volumeMounts: mounts } : {}),
  };
}

function tlsEnvironment({ clientSecret }: NonNullable<ReleaseInput['scoring']['tls']>): V1EnvVar[] {
  const [certificate, key] = TLS_MEMBERS;
  return [
    { name: 'TLS_CERT_FILE', value: `${TLS_DIR}/${certificate}` },
    { name: 'TLS_KEY_FILE', value: `${TLS_DIR}/${key}` },
    ...(clientSecret === undefined ? [] : [{ name: 'TLS_CLIENT_CA_FILE', value: `${CLIENTS_DIR}/${CA_MEMBER}` }]),
  ];
}

function httpProbe(path: string): V1Probe {
  return { httpGet: { path, port: HTTP_PORT }, timeoutSeconds: 5 };
}

function metadata(input: ReleaseInput, annotations: Record<string, string> = {}): V1ObjectMeta {
  return {
    name: nameOf(input),
    namespace: NAMESPACE,
    labels: releaseLabels(input.identity.service, input.image.releaseDigest),
    annotations: { [OWNER_ANNOTATION]: ownershipMark(input.identity), ...annotations },
  };
}

function nameOf(input: ReleaseInput): string {
  return releaseName(input.identity.service, input.image.releaseDigest);
}

/** Whole CPUs of a Kubernetes quantity, at least one: `500m` → 1, `2` → 2. */
function wholeCpus(quantity: string): number {
  const cpus = quantity.endsWith('m') ? Number.parseFloat(quantity) / 1000 : Number.parseFloat(quantity);
  return Math.max(1, Math.floor(cpus));
}

function encoded({ primary, secondary }: ScoringKeys): Record<keyof ScoringKeys, string> {
  return { primary: base64(primary), secondary: base64(secondary) };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function decode(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8');
}
