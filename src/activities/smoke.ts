import type { AzureConnection } from '../azure/connection.js';
import type { Kubernetes } from '../azure/kubernetes/connection.js';
import { requireTrust } from '../azure/kubernetes/certificate.js';
import { releaseKeys } from '../azure/kubernetes/keys.js';
import { GRPC_PORT } from '../azure/kubernetes/manifests.js';
import { PodTunnel } from '../azure/kubernetes/port-forward.js';
import { readyPod } from '../azure/kubernetes/releases.js';
import type { DeploymentActivities, Score, SmokeInput } from '../deployment/activities.js';
import { SlipwayError } from '../deployment/errors.js';
import { releaseName } from '../deployment/names.js';
import { PredictClient, type PredictClientOptions, type Prediction } from '../scoring/client/predict-client.js';
import { PredictError } from '../scoring/client/predict-error.js';
import { connectTo, nextLook } from './cluster-access.js';
import { activity, stillRunning, type Attempt } from './failure.js';
import { checkAnswer } from './smoke-check.js';
import { readReference, type Reference } from './smoke-reference.js';

type Activities = Pick<DeploymentActivities, 'smokeScore' | 'scorePublic'>;

/** Milliseconds that one photo may take through tunnel or load balancer; a scoring takes tens of them. */
const PREDICT_TIMEOUT_MS = 10_000;

/**
 * Fresh connections through the public address that must all reach the new release: a node that has not seen the switch yet
 * sends some of them to the old one.
 */
const PUBLIC_CONNECTIONS = 3;

/** What the server refuses is refused again; anything else may be a connection that broke. */
const REFUSALS: readonly string[] = [
  'INVALID_ARGUMENT',
  'NOT_FOUND',
  'FAILED_PRECONDITION',
  'UNIMPLEMENTED',
  'DATA_LOSS',
];

/** The smoke step and the public scoring: nothing is live before it has answered what the SavedModel answers. */
export function createSmokeActivities(azure: AzureConnection): Activities {
  return {
    smokeScore: activity(async (input, attempt) => {
      const kubernetes = await connectTo(azure, input, attempt.abortSignal);
      const pod = await readyPod(kubernetes, input);
      if (pod === undefined) throw stillRunning('No pod of the release is ready to be scored', nextLook(attempt));
      const access = await accessTo(kubernetes, input);
      const reference = await readReference(azure, input, attempt.abortSignal);
      const tunnel = await PodTunnel.open(kubernetes, pod, GRPC_PORT);
      try {
        const { digest, scores } = await score({ ...access, address: tunnel.address }, input, reference, attempt);
        if (digest === input.converted.digest) return scores;
        throw new SlipwayError(
          'ModelDigestMismatch',
          `The pod serves ${digest}, not the ${input.converted.digest} that was built`,
        );
      } catch (error) {
        // gRPC only sees a closed connection; the tunnel knows why.
        throw error instanceof PredictError && tunnel.refusal !== undefined ? tunnel.refusal : error;
      } finally {
        await tunnel.close();
      }
    }),

    scorePublic: activity(async (input, attempt) => {
      const kubernetes = await connectTo(azure, input, attempt.abortSignal);
      return scoreFromOutside(azure, kubernetes, { ...input, connections: PUBLIC_CONNECTIONS }, attempt);
    }),
  };
}

/**
 * Scores every photo through the public address, over so many fresh connections.
 *
 * @throws `StillRunning` while another release answers there
 */
export async function scoreFromOutside(
  azure: AzureConnection,
  kubernetes: Kubernetes,
  input: SmokeInput & { address: string; connections: number },
  attempt: Attempt,
): Promise<readonly Score[]> {
  const { address, connections } = input;
  const [access, reference] = await Promise.all([
    accessTo(kubernetes, input),
    readReference(azure, input, attempt.abortSignal),
  ]);
  let scores: readonly Score[] = [];
  for (let connection = 0; connection < connections; connection++) {
    const answer = await score({ ...access, address }, input, reference, attempt);
    if (answer.digest !== input.converted.digest) {
      throw stillRunning(`${address} is still answered by the release before (${answer.digest})`, nextLook(attempt));
    }
    scores = answer.scores;
  }
  return scores;
}

/**
 * Scores every photo over one new connection.
 *
 * @returns the digest of the model that answered, and the scores; these are checked only where that model is the new one
 */
async function score(
  server: PredictClientOptions,
  input: SmokeInput,
  reference: Reference,
  { abortSignal }: Attempt,
): Promise<{ digest: string; scores: Score[] }> {
  const client = PredictClient.connect({ ...server, model: input.source.name });
  const scores: Score[] = [];
  try {
    for (const photo of reference.photos) {
      const answer = await predict(client, reference.input, photo, abortSignal);
      const digest = answer.modelDigest ?? 'no digest';
      if (digest !== input.converted.digest) return { digest, scores };
      scores.push(checkAnswer(reference, photo, answer));
    }
    return { digest: input.converted.digest, scores };
  } finally {
    client.close();
  }
}

async function predict(
  client: PredictClient,
  input: string,
  { name, content, tensor }: Reference['photos'][number],
  signal: AbortSignal,
): Promise<Prediction> {
  try {
    return await client.predict({ input, images: [content], tensor, timeoutMs: PREDICT_TIMEOUT_MS, signal });
  } catch (error) {
    if (!(error instanceof PredictError) || !REFUSALS.includes(error.code)) throw error;
    throw new SlipwayError('ScoringRefused', `${name}: ${error.code}: ${error.message}`, { cause: error });
  }
}

/** What opens a release: its key and the authority of its certificate, as far as it has them. */
async function accessTo(
  kubernetes: Kubernetes,
  { identity, image, scoring }: SmokeInput,
): Promise<Omit<PredictClientOptions, 'address'>> {
  const { auth, tls } = scoring;
  const [keys, trust] = await Promise.all([
    auth === 'key' ? releaseKeys(kubernetes, releaseName(identity.service, image.releaseDigest)) : undefined,
    tls && requireTrust(kubernetes, tls),
  ]);
  return { key: keys?.primary, tls: trust };
}
