import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const yearMs = 365 * 24 * 3600 * 1000;

/** A server certificate and its key, PEM. */
export interface ServerCertificate {
  cert: string;
  key: string;
}

/** The emulator's certificate authority. It is made once and kept, so that clients go on trusting it after a restart. */
export class Certificates {
  private readonly issued = new Map<string, Promise<ServerCertificate>>();

  private constructor(
    /** PEM of the authority. */
    readonly caPem: string,
    /** Absolute path of the same. */
    readonly caFile: string,
    private readonly caKey: webcrypto.CryptoKey,
  ) {}

  /** Loads the authority of `directory`, or makes it. */
  static async open(directory: string): Promise<Certificates> {
    x509.cryptoProvider.set(webcrypto);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const caFile = join(directory, 'ca.pem');
    const keyFile = join(directory, 'ca-key.pem');
    if (!existsSync(caFile)) await createAuthority(caFile, keyFile);
    const caKey = await webcrypto.subtle.importKey(
      'pkcs8',
      x509.PemConverter.decodeFirst(readFileSync(keyFile, 'utf8')),
      algorithm,
      false,
      ['sign'],
    );
    return new Certificates(readFileSync(caFile, 'utf8'), caFile, caKey);
  }

  /** A certificate for `host`, a name or an IP address, and for no other. */
  server(host: string): Promise<ServerCertificate> {
    let issued = this.issued.get(host);
    if (issued === undefined) {
      issued = this.issue(host);
      this.issued.set(host, issued);
    }
    return issued;
  }

  private async issue(host: string): Promise<ServerCertificate> {
    const keys = await generateKeys();
    const ca = new x509.X509Certificate(this.caPem);
    const certificate = await x509.X509CertificateGenerator.create({
      subject: `CN=${host}`,
      issuer: ca.subject,
      publicKey: keys.publicKey,
      signingKey: this.caKey,
      signingAlgorithm: algorithm,
      ...validity(),
      extensions: [
        new x509.BasicConstraintsExtension(false),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension([{ type: isIP(host) === 0 ? 'dns' : 'ip', value: host }]),
        await x509.AuthorityKeyIdentifierExtension.create(ca.publicKey),
      ],
    });
    return { cert: certificate.toString('pem'), key: await exportKey(keys.privateKey) };
  }
}

async function createAuthority(caFile: string, keyFile: string): Promise<void> {
  const keys = await generateKeys();
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=Slipway local Azure',
    keys,
    signingAlgorithm: algorithm,
    ...validity(),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  writeFileSync(keyFile, await exportKey(keys.privateKey), { mode: 0o600 });
  // The certificate comes last and whole: its presence says that the key is there too.
  writeFileSync(`${caFile}.new`, `${ca.toString('pem')}\n`);
  renameSync(`${caFile}.new`, caFile);
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}

function validity(): { notBefore: Date; notAfter: Date } {
  // A day back: containers and virtual machines wake up with clocks that run behind.
  return { notBefore: new Date(Date.now() - yearMs / 365), notAfter: new Date(Date.now() + 10 * yearMs) };
}
