/** What a virtual machine of some size has. */
export interface VmSize {
  cores: number;
  memoryGiB: number;
  /** Family that quota is counted by. */
  family: string;
}

function family(name: string, sizes: Readonly<Record<string, [cores: number, memoryGiB: number]>>): [string, VmSize][] {
  return Object.entries(sizes).map(([size, [cores, memoryGiB]]) => [
    size.toLowerCase(),
    { cores, memoryGiB, family: name },
  ]);
}

/** Sizes that clusters are commonly made of, by their names in lower case. */
const vmSizes = new Map<string, VmSize>([
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
  ...family('standardNPSFamily', { Standard_NP10s: [10, 168], Standard_NP20s: [20, 336], Standard_NP40s: [40, 672] }),
  ...family('standardPBSFamily', { Standard_PB6s: [6, 112] }),
]);

/** Cores of a family that a subscription may use in a region; families that have to be asked for have none. */
const coreQuota = { usual: 100, onRequest: 0 };
const onRequest = new Set(['standardNPSFamily', 'standardPBSFamily']);

/** The size of that name, whatever its case. */
export function vmSizeOf(name: string): VmSize | undefined {
  return vmSizes.get(name.toLowerCase());
}

/** How many cores of a family a subscription may use in one region. */
export function quotaOf(familyName: string): number {
  return onRequest.has(familyName) ? coreQuota.onRequest : coreQuota.usual;
}
