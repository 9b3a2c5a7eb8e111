import { z } from 'zod';
import type { AzureConnection } from './connection.js';
import { ARM_SCOPE } from './connection.js';

const Claims = z.object({ appid: z.string().optional(), upn: z.string().optional(), oid: z.string().optional() });

/** Who signs in, as Azure's own errors say it; undefined where the token does not tell. */
export async function describeCaller(
  { credential }: AzureConnection,
  abortSignal: AbortSignal,
): Promise<string | undefined> {
  const token = await credential.getToken(ARM_SCOPE, { abortSignal });
  const { appid, upn, oid } = claimsOf(token?.token ?? '');
  const name = upn ?? appid ?? oid;
  if (name === undefined) return undefined;
  return `'${name}'${oid === undefined || oid === name ? '' : ` with object id '${oid}'`}`;
}

/** Tokens are Azure's to check: what they say is only shown, and one that cannot be read says nothing. */
function claimsOf(token: string): z.output<typeof Claims> {
  try {
    return Claims.parse(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()));
  } catch {
    return {};
  }
}
