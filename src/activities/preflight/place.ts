import { listClusterRegions, listUsages, listVmSizes } from '../../azure/compute.js';
import type { AzureConnection } from '../../azure/connection.js';
import type { PreflightInput } from '../../deployment/activities.js';
import type { Findings } from './findings.js';
import { checkQuota, checkRegion, checkSize } from './offers.js';

/** A cluster that is to be created must be possible where the file wants it, and so must the machine of the conversion. */
export async function checkPlace(
  azure: AzureConnection,
  { identity: { subscriptionId }, workspace, cluster, settings }: PreflightInput,
  findings: Findings,
  abortSignal: AbortSignal,
): Promise<void> {
  const region = cluster.region ?? workspace.region;
  const sizesIn = (place: string) =>
    findings.mayRead('sizes', () => listVmSizes(azure, subscriptionId, place, abortSignal));
  const sizes = sizesIn(region);
  const reads = {
    regions: findings.mayRead('region', () => listClusterRegions(azure, subscriptionId, abortSignal)),
    sizes,
    usages: findings.mayRead('quota', () => listUsages(azure, subscriptionId, region, abortSignal)),
    jobSizes: region === workspace.region ? sizes : sizesIn(workspace.region),
  };
  // All are awaited before any is looked at: in a region that is not there, the others fail for that reason.
  await Promise.allSettled(Object.values(reads));

  const regions = await reads.regions;
  if (regions !== undefined) checkRegion(region, regions);
  await findings.look(async () => {
    const offered = await reads.sizes;
    if (offered === undefined) return;
    const size = checkSize('cluster.vmSize', cluster.vmSize, region, offered);
    const usages = await reads.usages;
    if (usages !== undefined) checkQuota(cluster, region, size, usages);
  });
  await findings.look(async () => {
    const offered = await reads.jobSizes;
    if (offered === undefined || settings.compute !== 'serverless') return;
    checkSize('conversion.instanceType', settings.instanceType, workspace.region, offered);
  });
}
