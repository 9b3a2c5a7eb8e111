import type { experimental } from '@grpc/grpc-js';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Logger } from 'pino';

import { CERTIFICATE_REFRESH_MS } from './limits.js';

/** Paths of PEM files. */
export interface CertificateFiles {
  /** The server's certificate, followed by those between it and its authority. */
  certificate: string;
  key: string;
  /** Authority of the clients' certificates; with it a client without one is refused. */
  clientCa: string | undefined;
}

/** What a TLS server shows and trusts. */
export interface CertificateContents {
  cert: Buffer;
  key: Buffer;
  ca?: Buffer;
}

type Listener = (contents: CertificateContents) => void;

/**
 * The server's certificate, read again while the server runs: a renewed one counts for new connections without a restart. What
 * cannot be used, such as a certificate whose key has not been replaced yet, is logged, and the last good one stays.
 */
export class Certificates implements experimental.CertificateProvider {
  private readonly listeners = new Map<unknown, Listener>();
  private readonly timer: NodeJS.Timeout;
  private refused: string | undefined;

  private constructor(
    private readonly files: CertificateFiles,
    private current: CertificateContents,
    private readonly log: Logger,
  ) {
    this.timer = setInterval(() => void this.refresh(), CERTIFICATE_REFRESH_MS).unref();
  }

  /** @throws Error when a file is missing, is no PEM, or key and certificate do not belong together */
  static async open(files: CertificateFiles, log: Logger): Promise<Certificates> {
    return new Certificates(files, await read(files), log);
  }

  get contents(): CertificateContents {
    return this.current;
  }

  get wantsClientCertificate(): boolean {
    return this.files.clientCa !== undefined;
  }

  /** @param listener called when the files have changed for good */
  onChange(listener: Listener): void {
    this.listeners.set(listener, listener);
  }

  close(): void {
    clearInterval(this.timer);
  }

  addIdentityCertificateListener(listener: experimental.IdentityCertificateUpdateListener): void {
    this.tell(listener, ({ cert, key }) => listener({ certificate: cert, privateKey: key }));
  }

  addCaCertificateListener(listener: experimental.CaCertificateUpdateListener): void {
    this.tell(listener, ({ ca }) => listener(ca ? { caCertificate: ca } : null));
  }

  removeIdentityCertificateListener(listener: experimental.IdentityCertificateUpdateListener): void {
    this.listeners.delete(listener);
  }

  removeCaCertificateListener(listener: experimental.CaCertificateUpdateListener): void {
    this.listeners.delete(listener);
  }

  /** gRPC wants to be told of the present state as well, after it has been told that it is listening. */
  private tell(listener: unknown, update: Listener): void {
    this.listeners.set(listener, update);
    process.nextTick(() => update(this.current));
  }

  private async refresh(): Promise<void> {
    try {
      const next = await read(this.files);
      this.refused = undefined;
      if (equal(next, this.current)) return;
      this.current = next;
      for (const update of this.listeners.values()) update(next);
      this.log.info('certificate reloaded');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (reason !== this.refused) this.log.error({ err: error }, 'the new certificate cannot be used');
      this.refused = reason;
    }
  }
}

async function read({ certificate, key, clientCa }: CertificateFiles): Promise<CertificateContents> {
  const contents = {
    cert: await readFile(certificate),
    key: await readFile(key),
    ...(clientCa === undefined ? {} : { ca: await readFile(clientCa) }),
  };
  // Throws on what is no PEM and on a key of another certificate.
  createSecureContext(contents);
  return contents;
}

function equal(one: CertificateContents, other: CertificateContents): boolean {
  const same = (a?: Buffer, b?: Buffer) => (a && b ? a.equals(b) : a === b);
  return same(one.cert, other.cert) && same(one.key, other.key) && same(one.ca, other.ca);
}
