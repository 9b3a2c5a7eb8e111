import { readAuthority, readClientCertificate } from '../../client/authority.js';
import { checkPhotos } from '../../client/photo.js';
import { scorePhotos, type PhotoScore } from '../../client/score.js';
import type { TlsOptions } from '../../scoring/client/channel.js';
import { EXIT } from '../exit-codes.js';
import { renderScores } from '../render/scores.js';
import { print, type Terminal } from '../render/terminal.js';
import { withClient } from '../session.js';

export interface ScoreCommandOptions {
  readonly config?: string;
  readonly url?: ScoringUrl;
  readonly address?: string;
  readonly key?: string;
  readonly ca?: string;
  readonly serverName?: string;
  readonly cert?: string;
  readonly certKey?: string;
  readonly model?: string;
  readonly top?: number;
  readonly json?: boolean;
}

/** Where a scoring service answers, and whether over TLS. */
export interface ScoringUrl {
  /** `host:port` */
  readonly address: string;
  readonly secured: boolean;
}

/** `slipway score SERVICE PHOTO…` */
export async function score(
  service: string,
  photos: readonly string[],
  options: ScoreCommandOptions,
  { dataColors }: Terminal,
): Promise<number> {
  // What is wrong on this machine is told before anyone is asked for anything.
  await checkPhotos(photos);
  const tls = await readTls(options);
  const show = (scores: readonly PhotoScore[]): void => {
    if (options.json) print(JSON.stringify(scores));
    else for (const line of renderScores(scores, dataColors)) print(line);
  };
  const { key, model, top, url } = options;
  const address = url?.address ?? options.address;
  if (address === undefined) {
    const given = { ...(key && { key }), ...(model && { model }), ...(tls && { tls }), ...(top && { top }) };
    return withClient(options, async (client) => show(await client.score(service, photos, given)));
  }
  // Everything is said: neither Temporal nor Azure is needed.
  const endpoint = { address, model: model ?? service, ...(key && { keys: [key] }), ...(tls && { tls }) };
  show(await scorePhotos(endpoint, photos, top));
  return EXIT.ok;
}

async function readTls({ url, ca, serverName, cert, certKey }: ScoreCommandOptions): Promise<TlsOptions | undefined> {
  const tls = {
    ...(ca === undefined ? {} : { root: await readAuthority(ca) }),
    ...(cert === undefined || certKey === undefined
      ? {}
      : { clientCertificate: await readClientCertificate(cert, certKey) }),
    ...(serverName === undefined ? {} : { serverName }),
  };
  return url?.secured || Object.keys(tls).length > 0 ? tls : undefined;
}
