import { TemporalFailure } from '@temporalio/common';
import { clusterRef, getCluster, type Cluster } from '../azure/clusters.js';
import type { AzureConnection } from '../azure/connection.js';
import { classify } from '../azure/failures.js';
import { connectToKubernetes, type Kubernetes } from '../azure/kubernetes/connection.js';
import { ownerOf } from '../azure/kubernetes/objects.js';
import { readPublicService, replacePublicService, switchedBack } from '../azure/kubernetes/public-service.js';
import { deleteObject, remainingPods, serviceObjects, type ServiceObject } from '../azure/kubernetes/releases.js';
import type { DeploymentActivities, RemovalInput } from '../deployment/activities.js';
import { nextLook } from './cluster-access.js';
import { activity, stillPresent, type Attempt } from './failure.js';
import { isInScope, removedSoFar, requireAbsence } from './removal.js';

type Activities = Pick<DeploymentActivities, 'removeService'>;

/** Takes a deployment's or a service's objects out of the cluster. */
export function createServiceRemovalActivities(azure: AzureConnection): Activities {
  return {
    removeService: activity(async (input, attempt) => {
      const { cluster, identity } = input;
      if (cluster === undefined) return { removed: [] };
      const ref = clusterRef(identity, cluster.name);
      const found = await getCluster(azure, ref, attempt.abortSignal);
      if (found === undefined || found.state === 'Deleting') return { removed: removedSoFar() };
      const goesToo = input.clusterGoesToo === true && !cluster.existing && isInScope(found.owner, input);
      try {
        await removeObjects(await connectToKubernetes(azure, ref, attempt.abortSignal), input, attempt);
      } catch (error) {
        // Nothing in a cluster outlives it: one that goes too need not be reached.
        if (!goesToo || !isOutOfReach(error, found, attempt)) throw error;
      }
      return { removed: removedSoFar() };
    }),
  };
}

async function removeObjects(kubernetes: Kubernetes, input: RemovalInput, attempt: Attempt): Promise<void> {
  const publicGoes = await settlePublicService(kubernetes, input);
  const isPublic = ({ kind, name }: ServiceObject) => kind === 'Service' && name === input.identity.service;
  const ours = (await serviceObjects(kubernetes, input.identity)).filter(
    (object) => isInScope(ownerOf(object), input) && (publicGoes || !isPublic(object)),
  );
  for (const object of ours) {
    await deleteObject(kubernetes, object);
    removedSoFar([`${object.kind.toLowerCase()}/${object.name}`]);
  }
  const pods = (await remainingPods(kubernetes, input.identity)).filter((pod) => isInScope(ownerOf(pod), input));
  if (ours.length > 0 || pods.length > 0) {
    const names = ours.map(({ kind, name }) => `${kind} ${name}`);
    const kinds = [...new Set([...ours.map(({ kind }) => kind), ...pods.map(() => 'pods that drain')])];
    throw stillPresent(`Being deleted: ${kinds.join(', ')}`, {
      ...nextLook(attempt),
      resource: names.length > 0 ? names.join(', ') : `Pods of ${input.identity.service}`,
    });
  }
  requireAbsence(input, 'the release', attempt);
}

/** Points the public Service back where this deployment found it. Tells whether it goes instead. */
async function settlePublicService(kubernetes: Kubernetes, input: RemovalInput): Promise<boolean> {
  if (input.scope === 'service') return true;
  const service = await readPublicService(kubernetes, input.identity.service);
  if (service === undefined) return true;
  const back = switchedBack(service, input.identity);
  if (back.action === 'replace') await replacePublicService(kubernetes, back.service);
  return back.action === 'delete';
}

/** Whether a cluster has no API server that answers: it never came up (Azure refuses its credentials), or is down. */
function isOutOfReach(error: unknown, { state }: Cluster, { abortSignal }: Attempt): boolean {
  if (error instanceof TemporalFailure || abortSignal.aborted) return false;
  return state !== 'Succeeded' || !classify(error).answered;
}
