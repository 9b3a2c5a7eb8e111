import { clusterRef, getCluster } from '../azure/clusters.js';
import type { AzureConnection } from '../azure/connection.js';
import { listComputes } from '../azure/workspace.js';
import type { DeploymentActivities, PreflightInput } from '../deployment/activities.js';
import { SlipwayError } from '../deployment/errors.js';
import { activity, patiently } from './failure.js';
import { checkCertificate, checkCluster, checkPublicService } from './preflight/cluster.js';
import { Findings } from './preflight/findings.js';
import { checkModels, checkSameCluster } from './preflight/names.js';
import { checkPlace } from './preflight/place.js';
import { checkRights } from './preflight/rights.js';

/** The checks of the workspace step: everything that Azure would refuse later is found before anything is created. */
export function createPreflightActivities(azure: AzureConnection): Pick<DeploymentActivities, 'preflight'> {
  return {
    preflight: activity(async (input, attempt) => {
      const { identity, model, cluster } = input;
      const { abortSignal } = attempt;
      const findings = new Findings();
      const found = getCluster(azure, clusterRef(identity, cluster.name), abortSignal);
      await Promise.all([
        findings.look(async () => checkCluster(await found, cluster, identity)),
        findings.look(async () => checkPublicService(azure, input, await found, abortSignal)),
        findings.look(async () => checkCertificate(azure, input, await found, abortSignal)),
        findings.look(() => checkCompute(azure, input, abortSignal)),
        findings.look(() => checkModels(azure, identity, model, abortSignal)),
        findings.look(() => checkSameCluster(azure, identity, cluster, abortSignal)),
        findings.look(async () => {
          if (!cluster.existing && (await found) === undefined) await checkPlace(azure, input, findings, abortSignal);
        }),
        findings.look(async () => {
          await findings.mayRead('permissions', () => checkRights(azure, input, found, abortSignal));
        }),
      ]);
      if (findings.failure !== undefined) throw patiently(findings.failure, attempt, input.patienceMinutes);
      return { unchecked: findings.unchecked };
    }),
  };
}

/** @throws SlipwayError `ComputeNotFound` */
async function checkCompute(
  azure: AzureConnection,
  { identity, settings: { compute } }: PreflightInput,
  abortSignal: AbortSignal,
): Promise<void> {
  if (compute === 'serverless') return;
  const computes = await listComputes(azure, identity, abortSignal);
  if (computes.some((name) => name.toLowerCase() === compute.toLowerCase())) return;
  const known = computes.length > 0 ? `There are: ${computes.join(', ')}.` : 'There are none.';
  throw new SlipwayError('ComputeNotFound', `Workspace ${identity.workspaceName} has no compute ${compute}`, {
    fix: `Correct conversion.compute, or leave it out for a serverless machine. ${known}`,
  });
}
