import { beforeAll, describe, expect, it } from 'vitest';
import { clientCertificateOf, trustOf } from '../../src/azure/kubernetes/certificate.js';
import { Authority, tlsSecret, type IssuedCertificate } from '../fixtures/authority.js';

let authority: Authority;
let other: Authority;
let certificate: IssuedCertificate;

beforeAll(async () => {
  [authority, other] = await Promise.all([Authority.create(), Authority.create()]);
  certificate = await authority.issue(['scoring.example.com']);
});

const members = (issued = certificate, ca: string | undefined = authority.pem) => ({
  'tls.crt': issued.cert,
  'tls.key': issued.key,
  ...(ca === undefined ? {} : { 'ca.crt': ca }),
});
const trust = (content: Record<string, string>) => trustOf(tlsSecret('pets-tls', content), 'pets-tls');

describe('the Secret of a certificate', () => {
  it('says by whom it was signed and which name it has', () => {
    expect(trust(members())).toEqual({ root: authority.pem, serverName: 'scoring.example.com' });
  });

  it('may hold a certificate that stands for many names: one of them is expected', async () => {
    const wildcard = await authority.issue(['*.example.com', 'other.example.com']);
    expect(trust(members(wildcard)).serverName).toBe('slipway.example.com');
  });

  it('may hold a certificate that is its own authority', () => {
    expect(trust({ ...members(), 'ca.crt': certificate.cert }).root).toBe(certificate.cert);
  });

  it.each<[string, () => Promise<Record<string, string>> | Record<string, string>, RegExp]>([
    ['lacks the key', () => ({ 'tls.crt': certificate.cert }), /has no tls\.key$/],
    ['lacks both', () => ({ password: 'x' }), /has no tls\.crt and no tls\.key/],
    ['holds no PEM', () => ({ 'tls.crt': 'x', 'tls.key': 'y' }), /do not go together/],
    [
      'has the key of another certificate',
      async () => ({ ...members(), 'tls.key': (await authority.issue(['a.example'])).key }),
      /do not go together/,
    ],
    ['names no host', async () => members(await authority.issue([])), /no DNS name/],
    ['is over', async () => members(await authority.issue(['a.example'], { from: -2, to: -1 })), /ended on/],
    ['is not valid yet', async () => members(await authority.issue(['a.example'], { from: 1, to: 2 })), /begins on/],
    ['is of another authority', () => members(certificate, other.pem), /does not lead to ca\.crt/],
    ['has no certificate in ca.crt', () => members(certificate, 'x'), /ca\.crt is no certificate/],
    [
      'is of a private authority that is not in it',
      () => ({ 'tls.crt': certificate.cert, 'tls.key': certificate.key }),
      /not of a public authority/,
    ],
  ])('is refused when it %s', async (_case, content, reason) => {
    const secret = await content();
    const refusal = expect.objectContaining({
      code: 'TlsSecretUnusable',
      message: expect.stringMatching(reason) as string,
    }) as unknown;
    expect(() => trust(secret)).toThrow(refusal as Error);
  });
});

describe('the Secret of the clients’ authority', () => {
  const read = (content: Record<string, string>) => clientCertificateOf(tlsSecret('callers', content), 'callers');

  it('holds a certificate that Slipway shows, which needs no name', async () => {
    const own = await authority.issue([]);
    expect(read(members(own))).toEqual(own);
  });

  it.each<[string, () => Record<string, string>, RegExp]>([
    ['lacks the authority', () => ({ 'tls.crt': certificate.cert, 'tls.key': certificate.key }), /has no ca\.crt/],
    ['has a certificate that the authority did not sign', () => members(certificate, other.pem), /does not lead to/],
    ['lacks the key', () => ({ 'tls.crt': certificate.cert, 'ca.crt': authority.pem }), /has no tls\.key/],
  ])('is refused when it %s', (_case, content, reason) => {
    expect(() => read(content())).toThrow(reason);
  });
});
