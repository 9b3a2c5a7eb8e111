import { renderDetails } from '../render/table.js';
import { print, type Terminal } from '../render/terminal.js';
import { withClient, type SessionOptions } from '../session.js';

export interface ShowKeysOptions extends SessionOptions {
  readonly json?: boolean;
}

export interface RotateKeysOptions extends SessionOptions {
  readonly secondary?: boolean;
}

/** `slipway keys show SERVICE` */
export function showKeys(service: string, options: ShowKeysOptions): Promise<number> {
  return withClient(options, async (client) => {
    const keys = await client.showKeys(service);
    if (options.json) return print(JSON.stringify(keys));
    const { primary, secondary } = keys;
    for (const line of renderDetails({ primary, secondary })) print(line);
  });
}

/** `slipway keys rotate SERVICE` */
export function rotateKeys(service: string, options: RotateKeysOptions, { say }: Terminal): Promise<number> {
  return withClient(options, async (client) => {
    const { rotated } = await client.rotateKeys(service, options.secondary ? 'secondary' : 'primary');
    if (rotated === 'primary') say(`${service} has a new primary key; the one before is its secondary key now`);
    else say(`${service} has a new secondary key`);
    say('Pods take it up within about a minute, and refuse what it replaces from then on');
    say(`slipway keys show ${service} prints both`);
  });
}
