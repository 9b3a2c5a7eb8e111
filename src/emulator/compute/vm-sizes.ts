import { regions } from '../resources/regions.js';

/** What a virtual machine of some size has, and where it is offered. */
export interface VmSize {
  readonly name: string;
  readonly cores: number;
  readonly memoryGiB: number;
  /** Family that quota is counted by. */
  readonly family: string;
  readonly regions: readonly string[];
  /** Whether a subscription may use it only once Microsoft has let it, as `NotAvailableForSubscription` says. */
  readonly restricted: boolean;
}

interface FamilyTerms {
  readonly regions?: readonly string[];
  readonly restricted?: boolean;
}

function family(
  name: string,
  sizes: Readonly<Record<string, [cores: number, memoryGiB: number]>>,
  { regions: offeredIn = regions.map((region) => region.name), restricted = false }: FamilyTerms = {},
): VmSize[] {
  return Object.entries(sizes).map(([size, [cores, memoryGiB]]) => ({
    name: size,
    cores,
    memoryGiB,
    family: name,
    regions: offeredIn,
    restricted,
  }));
}

/** Regions that have machines with FPGAs for inference. */
const npRegions = ['eastus', 'westus2', 'southcentralus', 'westeurope', 'southeastasia', 'japaneast', 'canadacentral'];

/** Sizes that clusters are commonly made of. */
export const vmSizes: readonly VmSize[] = [
  ...family('standardBSFamily', { Standard_B2s: [2, 4], Standard_B4ms: [4, 16] }),
  ...family('standardDSv2Family', { Standard_DS2_v2: [2, 7], Standard_DS3_v2: [4, 14], Standard_DS4_v2: [8, 28] }),
  ...family('standardDSv3Family', { Standard_D2s_v3: [2, 8], Standard_D4s_v3: [4, 16], Standard_D8s_v3: [8, 32] }),
  ...family('standardDSv5Family', { Standard_D2s_v5: [2, 8], Standard_D4s_v5: [4, 16], Standard_D8s_v5: [8, 32] }),
  ...family('standardDADSv5Family', { Standard_D2ads_v5: [2, 8], Standard_D4ads_v5: [4, 16] }),
  ...family('StandardDsv6Family', {
    Standard_D2s_v6: [2, 8],
    Standard_D4s_v6: [4, 16],
    Standard_D8s_v6: [8, 32],
    Standard_D16s_v6: [16, 64],
  }),
  ...family('StandardFasv6Family', { Standard_F2as_v6: [2, 8], Standard_F4as_v6: [4, 16], Standard_F8as_v6: [8, 32] }),
  ...family('standardFSv2Family', { Standard_F2s_v2: [2, 4], Standard_F4s_v2: [4, 8], Standard_F8s_v2: [8, 16] }),
  ...family('Standard NCASv3_T4 Family', { Standard_NC4as_T4_v3: [4, 28], Standard_NC8as_T4_v3: [8, 56] }),
  ...family(
    'standardNPSFamily',
    { Standard_NP10s: [10, 168], Standard_NP20s: [20, 336], Standard_NP40s: [40, 672] },
    { regions: npRegions },
  ),
  ...family('standardPBSFamily', { Standard_PB6s: [6, 112] }, { regions: ['westus2'], restricted: true }),
];

const byName = new Map(vmSizes.map((size) => [size.name.toLowerCase(), size]));

/** The size of that name, whatever its case. */
export function vmSizeOf(name: string): VmSize | undefined {
  return byName.get(name.toLowerCase());
}
