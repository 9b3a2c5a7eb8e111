import { createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID, sign, verify } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import type { Clock } from '../core/clock.js';
import type { Collection, Documents } from '../core/documents.js';
import { tokenLifetimeSeconds } from '../core/limits.js';
import { z } from 'zod';

/** Who this Azure's one application is. Made once, kept with the state. */
export interface Identity {
  tenantId: string;
  clientId: string;
  clientSecret: string;
  /** Object id of the application's service principal. */
  objectId: string;
}

const claimsSchema = z.object({
  aud: z.string(),
  iss: z.string(),
  oid: z.string(),
  sub: z.string(),
  tid: z.string(),
  appid: z.string().optional(),
  nbf: z.number(),
  exp: z.number(),
});

/** What an access token says, with Entra ID's names. */
export type TokenClaims = z.infer<typeof claimsSchema>;

const keyId = 'slipway-local';

/**
 * Access tokens with the shape of Entra ID's version 1.0 (RS256, issuer `https://sts.windows.net/TENANT/`, which Azurite insists on).
 * Signed with node:crypto because jose's calls are asynchronous and tokens are checked in synchronous places.
 */
export class Tokens {
  readonly identity: Identity;
  private readonly privateKey: KeyObject;
  private readonly publicKey: KeyObject;

  constructor(
    documents: Documents,
    private readonly clock: Clock,
    tenantId: string,
  ) {
    this.identity = kept(documents.collection<Identity>('identity'), 'application', () => ({
      tenantId,
      clientId: randomUUID(),
      clientSecret: randomUUID().replaceAll('-', ''),
      objectId: randomUUID(),
    }));
    const pem = kept(documents.collection<string>('identity-keys'), keyId, () =>
      generateKeyPairSync('rsa', { modulusLength: 2048 })
        .privateKey.export({ type: 'pkcs8', format: 'pem' })
        .toString(),
    );
    this.privateKey = createPrivateKey(pem);
    this.publicKey = createPublicKey(this.privateKey);
  }

  get issuer(): string {
    return `https://sts.windows.net/${this.identity.tenantId}/`;
  }

  /** The signing key, as a discovery document publishes it. */
  get jsonWebKey(): JsonWebKey {
    return { ...this.publicKey.export({ format: 'jwk' }), kid: keyId, use: 'sig', alg: 'RS256' };
  }

  issue(audience: string, objectId: string): string {
    const now = Math.floor(this.clock.now().getTime() / 1000);
    const { tenantId, clientId } = this.identity;
    const claims: TokenClaims & Record<string, unknown> = {
      aud: audience,
      iss: this.issuer,
      iat: now,
      nbf: now - 300,
      exp: now + tokenLifetimeSeconds,
      appid: clientId,
      idtyp: 'app',
      oid: objectId,
      sub: objectId,
      tid: tenantId,
      ver: '1.0',
    };
    const content = `${encode({ alg: 'RS256', typ: 'JWT', kid: keyId })}.${encode(claims)}`;
    return `${content}.${sign('sha256', Buffer.from(content), this.privateKey).toString('base64url')}`;
  }

  /** The claims of a Bearer header, or undefined when it is none of ours, expired, or for another audience. */
  verify(header: string | undefined, audience?: string | readonly string[]): TokenClaims | undefined {
    const token = /^Bearer +(\S+)$/i.exec(header ?? '')?.[1];
    const [head, body, signature] = token?.split('.') ?? [];
    if (head === undefined || body === undefined || signature === undefined) return undefined;
    const content = Buffer.from(`${head}.${body}`);
    if (!verify('sha256', content, this.publicKey, Buffer.from(signature, 'base64url'))) return undefined;
    // The signature is ours, so the content is what issue() wrote.
    const claims = claimsSchema.parse(JSON.parse(Buffer.from(body, 'base64url').toString()));
    if (claims.exp * 1000 <= this.clock.now().getTime()) return undefined;
    const audiences = audience === undefined ? undefined : [audience].flat().map(withoutSlash);
    return audiences === undefined || audiences.includes(withoutSlash(claims.aud)) ? claims : undefined;
  }
}

function kept<T>(collection: Collection<T>, id: string, make: () => T): T {
  const existing = collection.get(id);
  if (existing !== undefined) return existing;
  const made = make();
  collection.put(id, made);
  return made;
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const withoutSlash = (audience: string): string => audience.replace(/\/+$/, '');
