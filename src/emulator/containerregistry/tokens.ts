import { randomBytes, randomUUID } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import type { Emulator } from '../core/emulator.js';
import type { Access } from './access.js';
import { accessTokenSeconds, refreshTokenSeconds } from './limits.js';

const issuer = 'Azure Container Registry';
const algorithm = 'HS256';

const refreshClaims = z.object({ grant_type: z.literal('refresh_token'), sub: z.string() });
const accessClaims = z.object({
  grant_type: z.literal('access_token'),
  access: z.array(z.object({ type: z.string(), name: z.string(), actions: z.array(z.string()) })),
});

/** The tokens of one registry: a refresh token says who somebody is, an access token what they may do. */
export class RegistryTokens {
  private readonly key: Uint8Array;

  /** @param registry name of the registry, which is whom its tokens are for */
  constructor(
    private readonly emulator: Emulator,
    private readonly registry: string,
  ) {
    const keys = emulator.documents.collection<string>('registry-token-keys');
    const kept = keys.get(registry) ?? randomBytes(32).toString('hex');
    keys.put(registry, kept);
    this.key = Buffer.from(kept, 'hex');
  }

  /** A refresh token for a principal's object id. */
  issueRefresh(principalId: string): Promise<string> {
    return this.sign({ grant_type: 'refresh_token' }, principalId, refreshTokenSeconds);
  }

  issueAccess(principalId: string, access: readonly Access[]): Promise<string> {
    return this.sign({ grant_type: 'access_token', access }, principalId, accessTokenSeconds);
  }

  /** The principal of a refresh token that is ours and alive. */
  async verifyRefresh(token: string): Promise<string | undefined> {
    return refreshClaims.safeParse(await this.verify(token)).data?.sub;
  }

  /** What an access token allows, if it is ours and alive. */
  async verifyAccess(token: string): Promise<readonly Access[] | undefined> {
    return accessClaims.safeParse(await this.verify(token)).data?.access;
  }

  private sign(claims: Record<string, unknown>, subject: string, seconds: number): Promise<string> {
    const now = Math.floor(this.emulator.clock.now().getTime() / 1000);
    return new SignJWT({ ...claims, version: '1.0' })
      .setProtectedHeader({ alg: algorithm, typ: 'JWT' })
      .setJti(randomUUID())
      .setIssuer(issuer)
      .setAudience(this.registry)
      .setSubject(subject)
      .setIssuedAt(now)
      .setNotBefore(now)
      .setExpirationTime(now + seconds)
      .sign(this.key);
  }

  private async verify(token: string): Promise<unknown> {
    try {
      const { payload } = await jwtVerify(token, this.key, {
        issuer,
        audience: this.registry,
        algorithms: [algorithm],
        currentDate: this.emulator.clock.now(),
      });
      return payload;
    } catch {
      return undefined;
    }
  }
}
