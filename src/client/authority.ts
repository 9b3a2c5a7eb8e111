import { X509Certificate } from 'node:crypto';
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
