import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { V1Deployment } from '@kubernetes/client-node';
import type { AzureConnection } from '../azure/connection.js';
import { requireTrust } from '../azure/kubernetes/certificate.js';
import type { Kubernetes } from '../azure/kubernetes/connection.js';
import { diagnosePod, worstOf, type PodFinding } from '../azure/kubernetes/pod-diagnosis.js';
import { ensureRelease, lastLogLines, podEvents, podsOf, readDeployment } from '../azure/kubernetes/releases.js';
import { getLoginServer } from '../azure/registry.js';
import type { DeploymentActivities, ReleaseInput } from '../deployment/activities.js';
import { clipMessage, SlipwayError, type FailureDetail } from '../deployment/errors.js';
import { releaseName } from '../deployment/names.js';
import { spokenAge } from './age.js';
import { connectTo, nextLook } from './cluster-access.js';
import { activity, stillRunning, type Attempt } from './failure.js';
import { clusterLookInterval, SLOW_RETRY_SECONDS } from './intervals.js';

type Activities = Pick<DeploymentActivities, 'beginRelease' | 'awaitRelease'>;

type Failed = Extract<PodFinding, { kind: 'failed' }>;

const NO_ROOM_FIX =
  'Add nodes to the cluster, choose a larger cluster.vmSize, or ask for less with scoring.cpu and scoring.memory.';

/** The service step: the objects of a release, and the wait until its pods are ready. */
export function createServiceActivities(azure: AzureConnection): Activities {
  return {
    beginRelease: activity(async (input, attempt) => {
      const { abortSignal } = attempt;
      const kubernetes = await connectTo(azure, input, abortSignal);
      await requireCertificate(kubernetes, input, attempt);
      const registry = await getLoginServer(azure, input.workspace.containerRegistryId, abortSignal);
      await ensureRelease(kubernetes, input, registry);
      return {
        name: releaseName(input.identity.service, input.image.releaseDigest),
        digest: input.image.releaseDigest,
      };
    }),

    awaitRelease: activity(async (input, attempt) => {
      const kubernetes = await connectTo(azure, input, attempt.abortSignal);
      const name = releaseName(input.identity.service, input.image.releaseDigest);
      const deployment = await readDeployment(kubernetes, name);
      if (deployment === undefined) throw new SlipwayError('ReleaseGone', `Deployment ${name} is gone`);
      if (isReady(deployment)) return;
      const finding = await diagnose(kubernetes, input, attempt);
      if (finding?.kind === 'failed') throw await podFailure(kubernetes, finding);
      if (finding?.kind === 'blocked') throw noRoom(finding.message, attempt);
      const state = finding?.message ?? refusal(deployment) ?? 'they are being made';
      const message = `${progress(deployment)}: ${state}, ${spokenAge(attempt.ageSeconds)}`;
      throw stillRunning(message, { ...nextLook(attempt), resource: name });
    }),
  };
}

/** Whether all replicas of a Deployment's present generation are ready. */
export function isReady({ metadata, spec, status }: V1Deployment): boolean {
  const seen = (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0);
  return seen && (status?.readyReplicas ?? 0) >= (spec?.replicas ?? 1);
}

async function diagnose(
  kubernetes: Kubernetes,
  input: ReleaseInput,
  attempt: Attempt,
): Promise<PodFinding | undefined> {
  const [pods, events] = await Promise.all([
    podsOf(kubernetes, input.identity.service, input.image.releaseDigest),
    podEvents(kubernetes),
  ]);
  const now = Date.now();
  const since = now - attempt.ageSeconds * 1000;
  return worstOf(pods.map((pod) => diagnosePod(pod, events, since, now)));
}

async function podFailure(kubernetes: Kubernetes, { code, message, log, pod }: Failed): Promise<SlipwayError> {
  const lines = log === undefined ? '' : await lastLogLines(kubernetes, pod, log);
  return new SlipwayError(code, clipMessage(lines === '' ? message : `${message}\nIts log ends:\n${lines}`));
}

/** Not fatal: nodes may come (an autoscaler, a person), up to the patience that the user set. */
function noRoom(message: string, attempt: Attempt): ApplicationFailure {
  return waitingForSomeone({ code: 'NoRoom', message, fix: NO_ROOM_FIX }, SLOW_RETRY_SECONDS, attempt);
}

/**
 * The certificate must be there before the release. A cluster that was just created cannot have it: whoever deploys is told,
 * and puts it there meanwhile.
 */
async function requireCertificate(kubernetes: Kubernetes, input: ReleaseInput, attempt: Attempt): Promise<void> {
  const { tls } = input.scoring;
  if (tls === undefined) return;
  try {
    await requireTrust(kubernetes, tls);
  } catch (error) {
    if (!(error instanceof SlipwayError) || error.code !== 'TlsSecretMissing') throw error;
    throw waitingForSomeone(error, clusterLookInterval(attempt.ageSeconds), attempt);
  }
}

function waitingForSomeone(
  { code, message, fix }: Pick<SlipwayError, 'code' | 'message' | 'fix'>,
  retrySeconds: number,
  { ageSeconds }: Attempt,
): ApplicationFailure {
  const text = clipMessage(`waiting: ${message}, ${spokenAge(ageSeconds)}`);
  return ApplicationFailure.create({
    type: code,
    message: text,
    category: ApplicationFailureCategory.BENIGN,
    nextRetryDelay: retrySeconds * 1000,
    details: [{ code, message: text, ...(fix === undefined ? {} : { fix }) } satisfies FailureDetail],
  });
}

function progress({ spec, status }: V1Deployment): string {
  return `${status?.readyReplicas ?? 0} of ${spec?.replicas ?? 1} pods ready`;
}

/** Why the API server makes no pods, where it refuses to (a quota, an admission policy). */
function refusal({ status }: V1Deployment): string | undefined {
  return status?.conditions?.find(({ type, status }) => type === 'ReplicaFailure' && status === 'True')?.message;
}
