import { X509Certificate } from 'node:crypto';
import { createSecureContext, rootCertificates } from 'node:tls';
import type { V1Secret } from '@kubernetes/client-node';
import type { ReleaseInput } from '../../deployment/activities.js';
import { SlipwayError } from '../../deployment/errors.js';
import type { Kubernetes } from './connection.js';
import { CA_MEMBER, NAMESPACE, TLS_MEMBERS } from './manifests.js';
import { readIfPresent } from './objects.js';

/** The Secrets that a release's TLS is made of, by name. */
export type TlsSecrets = NonNullable<ReleaseInput['scoring']['tls']>;

/** What a caller must know of a server's certificate. */
export interface ServerTrust {
  /** PEM of the authorities that may have signed it. */
  readonly root: string;
  /** A name that is in it. The public address is a number, which certificates hardly ever have. */
  readonly serverName: string;
  /** What Slipway itself shows to a server that asks its clients for certificates. */
  readonly clientCertificate?: { readonly cert: string; readonly key: string };
}

/**
 * Reads the Secrets that hold a scoring server's certificate, and the authority of its clients where it asks for theirs.
 *
 * @throws SlipwayError `TlsSecretMissing`, `TlsSecretUnusable`
 */
export async function requireTrust(kubernetes: Kubernetes, { secret, clientSecret }: TlsSecrets): Promise<ServerTrust> {
  const trust = trustOf(await requireSecret(kubernetes, secret), secret);
  if (clientSecret === undefined) return trust;
  const ofClients = await requireSecret(kubernetes, clientSecret);
  return { ...trust, clientCertificate: clientCertificateOf(ofClients, clientSecret) };
}

async function requireSecret(kubernetes: Kubernetes, name: string): Promise<V1Secret> {
  const secret = await readIfPresent(() => kubernetes.core.readNamespacedSecret({ name, namespace: NAMESPACE }));
  if (secret !== undefined) return secret;
  throw new SlipwayError('TlsSecretMissing', `The cluster has no Secret ${name} in its namespace ${NAMESPACE}`, {
    fix: `Create it: kubectl -n ${NAMESPACE} create secret generic ${name} --type kubernetes.io/tls --from-file tls.crt --from-file tls.key --from-file ca.crt. Or correct scoring.tls.`,
  });
}

/**
 * Checks a certificate with its key as callers will: it is valid now, has a name, and leads to the Secret's `ca.crt`, or to a
 * public authority where there is none.
 *
 * @throws SlipwayError `TlsSecretUnusable`
 */
export function trustOf(secret: V1Secret, name: string): ServerTrust {
  const { chain, leaf, authority } = certificateOf(secret, name);
  const serverName = dnsName(leaf);
  if (serverName === undefined) throw unusable(name, 'its certificate has no DNS name');
  const root = authority === '' ? rootCertificates.join('\n') : authority;
  if (isSignedBy(chain, root, name)) return { root, serverName };
  throw unusable(
    name,
    authority === ''
      ? `its certificate is not of a public authority, and there is no ${CA_MEMBER}`
      : `its certificate does not lead to ${CA_MEMBER}`,
  );
}

/**
 * Checks the certificate that Slipway shows as a client: a server that trusts the Secret's `ca.crt` must take it.
 *
 * @throws SlipwayError `TlsSecretUnusable`
 */
export function clientCertificateOf(secret: V1Secret, name: string): { cert: string; key: string } {
  const { cert, key, chain, authority } = certificateOf(secret, name);
  if (authority === '') throw unusable(name, `it has no ${CA_MEMBER}, the authority of the clients`);
  if (isSignedBy(chain, authority, name)) return { cert, key };
  throw unusable(name, `its certificate does not lead to ${CA_MEMBER}`);
}

/** A certificate of a Secret with its key, checked by itself. */
function certificateOf(secret: V1Secret, name: string) {
  const read = (member: string) => Buffer.from(secret.data?.[member] ?? '', 'base64').toString('utf8');
  const missing = TLS_MEMBERS.filter((member) => read(member) === '');
  if (missing.length > 0) throw unusable(name, `it has no ${missing.join(' and no ')}`);
  const [cert, key] = [read(TLS_MEMBERS[0]), read(TLS_MEMBERS[1])];
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    throw unusable(name, `tls.crt and tls.key do not go together (${reasonOf(error)})`, error);
  }
  const chain = certificatesIn(cert);
  const [leaf] = chain;
  if (leaf === undefined) throw unusable(name, 'tls.crt is no certificate');
  if (Date.parse(leaf.validTo) < Date.now()) throw unusable(name, `its certificate ended on ${leaf.validTo}`);
  if (Date.parse(leaf.validFrom) > Date.now()) throw unusable(name, `its certificate begins on ${leaf.validFrom}`);
  return { cert, key, chain, leaf, authority: read(CA_MEMBER) };
}

function isSignedBy(chain: readonly X509Certificate[], authority: string, name: string): boolean {
  try {
    return leadsTo(chain, certificatesIn(authority));
  } catch (error) {
    throw unusable(name, `${CA_MEMBER} is no certificate (${reasonOf(error)})`, error);
  }
}

function unusable(name: string, why: string, cause?: unknown): SlipwayError {
  return new SlipwayError('TlsSecretUnusable', `Secret ${name}: ${why}`, {
    fix: 'Put the certificate, followed by those between it and its authority, into tls.crt, its key into tls.key, and a private authority into ca.crt.',
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Whether one of `roots` has signed the first certificate of a chain, directly or through others of the chain. */
function leadsTo(chain: readonly X509Certificate[], roots: readonly X509Certificate[]): boolean {
  const rest = [...chain];
  for (let current = rest.shift(); current !== undefined;) {
    const subject = current;
    const isIssuer = (by: X509Certificate) => subject.checkIssued(by) && subject.verify(by.publicKey);
    if (roots.some((root) => root.fingerprint256 === subject.fingerprint256 || isIssuer(root))) return true;
    const next = rest.findIndex(isIssuer);
    current = next < 0 ? undefined : rest.splice(next, 1)[0];
  }
  return false;
}

function certificatesIn(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [pem];
  return blocks.map((block) => new X509Certificate(block));
}

/** The first DNS name of a certificate; of a wildcard, one that it stands for. */
function dnsName({ subjectAltName }: X509Certificate): string | undefined {
  return /(?:^|, )DNS:([^,\s"]+)/.exec(subjectAltName ?? '')?.[1]?.replace(/^\*\./, 'slipway.');
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
