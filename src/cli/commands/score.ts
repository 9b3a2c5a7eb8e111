import { readAuthority } from '../../client/authority.js';
import { readJpeg } from '../../client/jpeg.js';
import { renderScores } from '../render/scores.js';
import { print, type Terminal } from '../render/terminal.js';
import { openSession } from '../session.js';

export interface ScoreCommandOptions {
  readonly config?: string;
  readonly address?: string;
  readonly key?: string;
  readonly ca?: string;
  readonly serverName?: string;
  readonly model?: string;
  readonly json?: boolean;
}

/** `slipway score SERVICE PHOTO…` */
export async function score(
  service: string,
  photos: readonly string[],
  options: ScoreCommandOptions,
  { dataColors }: Terminal,
): Promise<number> {
  // What is wrong on this machine is told before anyone is asked for anything.
  await Promise.all(photos.map(readJpeg));
  const ca = options.ca === undefined ? undefined : await readAuthority(options.ca);
  const { client } = await openSession({ ...options, workspaceNeeded: options.address === undefined });
  try {
    const { address, key, serverName, model } = options;
    const scores = await client.score(service, photos, {
      ...(address ? { address } : {}),
      ...(key ? { key } : {}),
      ...(ca ? { ca } : {}),
      ...(serverName ? { serverName } : {}),
      ...(model ? { model } : {}),
    });
    if (options.json) print(JSON.stringify(scores));
    else for (const line of renderScores(scores, dataColors)) print(line);
    return 0;
  } finally {
    await client.close();
  }
}
