import { REGIONAL_CORES, usageOf, type CoreUsage, type VmSize } from '../../azure/compute.js';
import { likest } from '../../deployment/closest.js';
import { SlipwayError } from '../../deployment/errors.js';
import type { ClusterInput } from '../../deployment/input.js';

/** Names that an error proposes in place of one that is not offered. */
const PROPOSALS = 5;

/** @throws SlipwayError `LocationNotAvailableForResourceType` */
export function checkRegion(region: string, offered: readonly string[]): void {
  if (offered.includes(region)) return;
  const near = likest(region, offered, PROPOSALS).join(', ');
  throw new SlipwayError(
    'LocationNotAvailableForResourceType',
    `cluster.region is ${region}, where there are no AKS clusters`,
    { fix: `Choose a region such as ${near}; there are: ${[...offered].sort().join(', ')}.` },
  );
}

/**
 * The size of that name, if it may be used.
 *
 * @param member what of the deployment file names it
 * @throws SlipwayError `VMSizeNotSupported`, `SizeRestricted`
 */
export function checkSize(member: string, name: string, region: string, offered: readonly VmSize[]): VmSize {
  const size = offered.find((each) => each.name.toLowerCase() === name.toLowerCase());
  const usable = offered.filter(({ restriction }) => restriction === undefined).map((each) => each.name);
  const fix = `Choose a size that ${region} offers, such as ${likest(name, usable, PROPOSALS).join(', ')}.`;
  if (size === undefined) {
    throw new SlipwayError('VMSizeNotSupported', `${member} is ${name}, which ${region} does not offer`, { fix });
  }
  if (size.restriction === undefined) return size;
  const message = `${member} is ${size.name}, which the subscription may not use in ${region}: ${size.restriction}`;
  throw new SlipwayError('SizeRestricted', message, { fix: `${fix} Or ask Microsoft to let you use it.` });
}

/** @throws SlipwayError `QuotaExceeded` with Azure's limit and usage, of the size's family or of the whole region */
export function checkQuota(cluster: ClusterInput, region: string, size: VmSize, usages: readonly CoreUsage[]): void {
  const needed = size.cores * cluster.nodeCount;
  const short = [size.family, REGIONAL_CORES]
    .flatMap((name) => usageOf(usages, name) ?? [])
    .filter(({ used, limit }) => used + needed > limit);
  if (short.length === 0) return;
  const quotas = short.map(({ label, used, limit }) => `${label}: ${used} of ${limit} are used`);
  throw new SlipwayError(
    'QuotaExceeded',
    `${cluster.nodeCount} × ${size.name} (cluster.nodeCount, cluster.vmSize) needs ${needed} vCPUs in ${region}; ${quotas.join('; ')}`,
    {
      fix: 'Ask for more quota (https://aka.ms/quotas), or choose a smaller cluster.nodeCount, another cluster.vmSize or another cluster.region.',
    },
  );
}
