import { X509Certificate } from 'node:crypto';
import { createSecureContext, rootCertificates } from 'node:tls';
import type { V1Secret } from '@kubernetes/client-node';
import { SlipwayError } from '../../deployment/errors.js';
import type { Kubernetes } from './connection.js';
import { NAMESPACE, TLS_MEMBERS } from './manifests.js';
import { readIfPresent } from './objects.js';

/** Authority in the Secret, where it is a private one: what cert-manager calls it too. */
const CA_MEMBER = 'ca.crt';

/** What a caller must know of a server's certificate. */
export interface ServerTrust {
  /** PEM of the authorities that may have signed it. */
  readonly root: string;
  /** A name that is in it. The public address is a number, which certificates hardly ever have. */
  readonly serverName: string;
}

/**
 * Reads the Secret that holds a scoring server's certificate.
 *
 * @returns undefined when there is no such Secret
 * @throws SlipwayError `TlsSecretUnusable`
 */
export async function findTrust(kubernetes: Kubernetes, name: string): Promise<ServerTrust | undefined> {
  const secret = await readIfPresent(() => kubernetes.core.readNamespacedSecret({ name, namespace: NAMESPACE }));
  return secret && trustOf(secret, name);
}

/**
 * Like {@link findTrust}, where the Secret has to be there.
 *
 * @throws SlipwayError `TlsSecretMissing`, `TlsSecretUnusable`
 */
export async function requireTrust(kubernetes: Kubernetes, name: string): Promise<ServerTrust> {
  const trust = await findTrust(kubernetes, name);
  if (trust === undefined) throw tlsSecretMissing(name);
  return trust;
}

/** What is told of a Secret that is not in the cluster. */
export function tlsSecretMissing(name: string): SlipwayError {
  return new SlipwayError('TlsSecretMissing', `The cluster has no Secret ${name} in its namespace ${NAMESPACE}`, {
    fix: `Create it: kubectl -n ${NAMESPACE} create secret generic ${name} --type kubernetes.io/tls --from-file tls.crt --from-file tls.key --from-file ca.crt. Or correct scoring.tls.secret.`,
  });
}

/**
 * Checks a certificate with its key as callers will: it is valid now, has a name, and leads to the Secret's `ca.crt`, or to a
 * public authority where there is none.
 *
 * @throws SlipwayError `TlsSecretUnusable`
 */
export function trustOf(secret: V1Secret, name: string): ServerTrust {
  const unusable = (why: string, cause?: unknown) =>
    new SlipwayError('TlsSecretUnusable', `Secret ${name}: ${why}`, {
      fix: 'Put the certificate, followed by those between it and its authority, into tls.crt, its key into tls.key, and a private authority into ca.crt.',
      ...(cause === undefined ? {} : { cause }),
    });
  const read = (member: string) => Buffer.from(secret.data?.[member] ?? '', 'base64').toString('utf8');
  const missing = TLS_MEMBERS.filter((member) => read(member) === '');
  if (missing.length > 0) throw unusable(`it has no ${missing.join(' and no ')}`);
  const [cert, key] = TLS_MEMBERS.map(read);
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    throw unusable(`tls.crt and tls.key do not go together (${reasonOf(error)})`, error);
  }
  const chain = certificatesIn(read(TLS_MEMBERS[0]));
  const [leaf] = chain;
  const serverName = leaf && dnsName(leaf);
  if (leaf === undefined || serverName === undefined) throw unusable('its certificate has no DNS name');
  if (Date.parse(leaf.validTo) < Date.now()) throw unusable(`its certificate ended on ${leaf.validTo}`);
  if (Date.parse(leaf.validFrom) > Date.now()) throw unusable(`its certificate begins on ${leaf.validFrom}`);
  const authority = read(CA_MEMBER);
  const root = authority === '' ? rootCertificates.join('\n') : authority;
  try {
    if (leadsTo(chain, certificatesIn(root))) return { root, serverName };
  } catch (error) {
    throw unusable(`${CA_MEMBER} is no certificate (${reasonOf(error)})`, error);
  }
  throw unusable(
    authority === ''
      ? `its certificate is not of a public authority, and there is no ${CA_MEMBER}`
      : `its certificate does not lead to ${CA_MEMBER}`,
  );
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
