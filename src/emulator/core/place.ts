import { randomUUID } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { isIPv4 } from 'node:net';
import type { Documents } from './documents.js';
import { StartError } from './start-error.js';

/** Where this Azure answers, and whose it is. */
export interface Place {
  /** Host of all its addresses and name of its certificates: an address of this machine, or a name of one. */
  readonly host: string;
  readonly subscriptionId: string;
  readonly tenantId: string;
  /** Of what is there from the first start. */
  readonly region: string;
}

const usual: Pick<Place, 'host' | 'subscriptionId' | 'region'> = {
  host: '127.0.0.1',
  subscriptionId: '6f0c1c9e-51a1-4a57-9d3b-5a1f1f0a0001',
  region: 'eastus',
};

/**
 * The place as the first start was told, which is kept with the state since resource ids, image references and tokens carry it; and
 * the IPv4 address to listen on. Throws {@link StartError} when a later start is told otherwise, and for a host that is not found or
 * is no loopback address, unless that is allowed.
 */
export async function openPlace(
  documents: Documents,
  wanted: Partial<Place>,
  allowRemote: boolean,
): Promise<{ place: Place; address: string }> {
  const places = documents.collection<Place>('place');
  const kept = places.get('place');
  if (kept !== undefined) checkSame(kept, wanted);
  const place = kept ?? { ...usual, tenantId: randomUUID(), ...wanted };
  const address = isIPv4(place.host) ? place.host : await resolve(place.host);
  if (!address.startsWith('127.') && !allowRemote) {
    throw new StartError(
      `${place.host} is no loopback address, and whoever reaches the admin interface needs no password: ` +
        '--allow-remote listens there all the same',
    );
  }
  if (kept === undefined) places.put('place', place);
  return { place, address };
}

function checkSame(kept: Place, wanted: Partial<Place>): void {
  for (const name of ['host', 'subscriptionId', 'tenantId', 'region'] as const) {
    if (wanted[name] === undefined || wanted[name] === kept[name]) continue;
    throw new StartError(
      `this state was made with the ${name} ${kept[name]}, not ${wanted[name]}: it cannot change, so take another --state`,
    );
  }
}

async function resolve(host: string): Promise<string> {
  try {
    return (await lookup(host, { family: 4 })).address;
  } catch (error) {
    throw new StartError(`the host ${host} has no IPv4 address here: ${error instanceof Error ? error.message : ''}`);
  }
}
