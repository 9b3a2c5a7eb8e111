import type { Collection } from '../core/documents.js';
import type { Emulator } from '../core/emulator.js';
import { vmSizes } from './vm-sizes.js';

/** Name under which Azure counts all cores of a region. */
export const regionalCores = 'cores';

/** Cores that a subscription may use in one region, where nothing else is set. */
const usual = { family: 100, region: 350 };
/** Families that have to be asked for: their quota is 0 until then. */
const onRequest = ['standardNPSFamily', 'standardPBSFamily'];

/** Names of quotas: the families of the sizes, and all cores of a region. */
export const quotaNames: readonly string[] = [regionalCores, ...new Set(vmSizes.map(({ family }) => family))];

/** Quotas that were set, by name; they hold in every region. */
export function quotas(emulator: Emulator): Collection<number> {
  return emulator.documents.collection<number>('core-quotas');
}

/** How many cores a subscription may use in one region: of a family, or of {@link regionalCores}. */
export function quotaOf(emulator: Emulator, name: string): number {
  const set = quotas(emulator).get(name);
  if (set !== undefined) return set;
  if (name === regionalCores) return usual.region;
  return onRequest.includes(name) ? 0 : usual.family;
}
