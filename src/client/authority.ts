import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { SlipwayError } from '../deployment/errors.js';
import { readNamedFile } from './local-file.js';

/**
 * Reads the certificate of an authority.
 *
 * @returns PEM
 * @throws SlipwayError `FileNotFound`, `FileNotReadable`, `NotACertificate`
 */
export async function readAuthority(file: string): Promise<string> {
  const pem = await readNamedFile(file, 'the certificate of an authority');
  try {
    new X509Certificate(pem);
    return pem.toString('utf8');
  } catch (cause) {
    throw new SlipwayError('NotACertificate', `${file} holds no certificate`, {
      fix: 'Name a file that begins with -----BEGIN CERTIFICATE-----.',
      cause,
    });
  }
}

/**
 * Reads a client's certificate and its key.
 *
 * @returns PEM
 * @throws SlipwayError `FileNotFound`, `FileNotReadable`, `ClientCertificateUnusable`
 */
export async function readClientCertificate(certFile: string, keyFile: string): Promise<{ cert: string; key: string }> {
  const [cert, key] = await Promise.all([
    readNamedFile(certFile, 'the certificate of the client'),
    readNamedFile(keyFile, 'the key of the client’s certificate'),
  ]);
  try {
    createSecureContext({ cert, key });
    return { cert: cert.toString('utf8'), key: key.toString('utf8') };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SlipwayError('ClientCertificateUnusable', `${certFile} and ${keyFile} do not go together (${reason})`, {
      fix: 'Name the PEM files of a certificate and of its key, without a passphrase.',
    });
  }
}
