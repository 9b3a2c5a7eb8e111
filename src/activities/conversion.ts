import { blobPath, blobSizes, openBlobStore, readBlob, type BlobStore } from '../azure/blobs.js';
import { clusterRef } from '../azure/clusters.js';
import type { AzureConnection } from '../azure/connection.js';
import { ensureCode, ensureEnvironment } from '../azure/environments.js';
import { ensureJob, getJob } from '../azure/jobs.js';
import { CONVERSION_JOB_TIMEOUT } from '../azure/limits.js';
import { ensureModelContainer } from '../azure/model-containers.js';
import { ensureModelVersion } from '../azure/models.js';
import { uploadBlob, uploadTree } from '../azure/uploads.js';
import type { ConversionInput, DeploymentActivities } from '../deployment/activities.js';
import { digestOfJson, type Digest } from '../deployment/digests.js';
import { SlipwayError } from '../deployment/errors.js';
import type { QuantizeSettings } from '../deployment/input.js';
import {
  CLUSTER_TAG,
  CONVERSION_PROPERTY,
  SOURCE_DIGEST_PROPERTY,
  SOURCE_PROPERTY,
  conversionJobName,
  convertedModelName,
} from '../deployment/names.js';
import { spokenAge } from './age.js';
import {
  conversionCommand,
  conversionDigest,
  photoDigests,
  readConversionParts,
  type ConversionParts,
} from './conversion-parts.js';
import { findConversionResult } from './conversion-result.js';
import { activity, operationFailed, stillRunning } from './failure.js';
import { jobFailure } from './job-failure.js';
import { lastPhase, readLogEnd } from './job-log.js';
import { removeJobs } from './remove-jobs.js';
import { removeModels } from './remove-models.js';

type Activities = Pick<
  DeploymentActivities,
  'beginConversion' | 'awaitConversion' | 'registerConvertedModel' | 'removeConvertedModel' | 'removeJob'
>;

/** What a job's states mean, for people who wait. */
const MEANING: Readonly<Record<string, string>> = {
  NotStarted: 'not started yet',
  Starting: 'being taken up',
  Provisioning: 'a machine is being started',
  Preparing: 'building the environment',
  Queued: 'waiting for a machine',
  Finalizing: 'storing the result',
};

/**
 * The convert step: a job of the workspace makes ONNX of the SavedModel, and the result is registered beside its source.
 *
 * @param directory the Python package `conversion` that the job runs
 */
export function createConversionActivities(azure: AzureConnection, directory: string): Activities {
  return {
    beginConversion: activity(async (input, { abortSignal }) => {
      const { identity, workspace } = input;
      const parts = await readConversionParts(directory);
      const digest = conversionDigest(input, parts);
      const store = await openBlobStore(azure, workspace, abortSignal);
      if (await findConversionResult(store, digest, abortSignal)) return { digest, jobName: null };
      const jobName = conversionJobName(identity, digest, input.attempt);
      await submit(azure, store, { input, parts, digest, jobName }, abortSignal);
      return { digest, jobName };
    }),

    awaitConversion: activity(async ({ identity, jobName }, attempt) => {
      const job = await getJob(azure, identity, jobName, attempt.abortSignal);
      if (!job) throw operationFailed({ code: 'JobGone', message: `Azure ML job ${jobName} is gone` });
      switch (job.status) {
        case 'Completed':
          return;
        case 'Failed':
          throw await jobFailure(azure, identity, job, attempt.abortSignal);
        case 'Canceled':
          throw new SlipwayError(
            'JobCanceled',
            `Azure ML job ${jobName} was cancelled, by someone or by Azure ML after its ${CONVERSION_JOB_TIMEOUT}`,
          );
        default: {
          const log = job.status === 'Running' ? await readLogEnd(azure, identity, job, attempt.abortSignal) : '';
          const message = `${jobState(job.status, log)}, ${spokenAge(attempt.ageSeconds)}`;
          throw stillRunning(message, { ...attempt, retryAfterSeconds: job.retryAfterSeconds });
        }
      }
    }),

    registerConvertedModel: activity(async (input, { abortSignal }) => {
      const { identity, workspace, source, model, conversion } = input;
      const { quantize } = input.settings;
      const store = await openBlobStore(azure, workspace, abortSignal);
      const digest = await findConversionResult(store, conversion.digest, abortSignal);
      if (!digest) throw new SlipwayError('ConversionIncomplete', `Conversion ${conversion.digest} left no result`);
      const name = convertedModelName(model.name);
      // The source may be someone else's model: then only this container says where the service runs.
      const tags = { [CLUSTER_TAG]: clusterRef(identity, input.cluster.name).id };
      await ensureModelContainer(azure, identity, { name, role: 'converted', tags }, abortSignal);
      const content = {
        digest,
        url: store.uri(blobPath.conversion(conversion.digest)),
        description: `${source.name} version ${source.version} as ${quantize ? `${quantize.to} ` : ''}ONNX`,
        properties: {
          [SOURCE_PROPERTY]: `${source.name}:${source.version}`,
          [SOURCE_DIGEST_PROPERTY]: source.digest,
          [CONVERSION_PROPERTY]: conversion.digest,
        },
      };
      return ensureModelVersion(azure, identity, name, content, abortSignal);
    }),

    removeConvertedModel: activity((input, attempt) => removeModels(azure, input, 'converted', attempt)),
    removeJob: activity((input, attempt) => removeJobs(azure, input, attempt)),
  };
}

/** What a job is at, for people: `Azure ML job is Queued (waiting for a machine)`, `Azure ML job is Running: converting`. */
export function jobState(status: string, log: string): string {
  const phase = lastPhase(log);
  const meaning = MEANING[status];
  return `Azure ML job is ${status}${phase ? `: ${phase}` : meaning ? ` (${meaning})` : ''}`;
}

async function submit(
  azure: AzureConnection,
  store: BlobStore,
  job: { input: ConversionInput; parts: ConversionParts; digest: Digest; jobName: string },
  abortSignal: AbortSignal,
): Promise<void> {
  const { input, parts, digest, jobName } = job;
  const { identity, workspace, source, settings } = input;
  const { code, environment } = parts;
  const codePath = blobPath.code(code.digest);
  // The command names the package, so the folder that the job runs in has to contain it.
  await uploadTree(store, `${codePath}/conversion`, code, { abortSignal });
  const codeUrl = `${store.container.url}/${codePath}`;
  const codeId = await ensureCode(azure, identity, { digest: code.digest, url: codeUrl }, abortSignal);
  const environmentId = await ensureEnvironment(azure, identity, environment, abortSignal);
  const photos = await gatherPhotos(store, photoDigests(input.photos), abortSignal);
  const calibration = settings.quantize && (await findCalibration(store, settings.quantize, abortSignal));
  const content = {
    displayName: `${identity.service}: ${source.name} version ${source.version} to ONNX`,
    command: conversionCommand(input),
    environmentId,
    codeId,
    compute:
      settings.compute === 'serverless'
        ? { instanceType: settings.instanceType }
        : { computeId: `${workspace.id}/computes/${settings.compute}` },
    inputs: {
      model: source.url,
      photos: store.uri(photos),
      ...(calibration === undefined ? {} : { calibration: store.uri(calibration) }),
    },
    outputs: { converted: store.uri(blobPath.conversion(digest)) },
  };
  await ensureJob(azure, identity, jobName, content, abortSignal);
}

/** The folder with the calibration photos, whole: a schedule may come back to it when it is long gone. */
async function findCalibration(
  store: BlobStore,
  { calibration: { digest, count } }: QuantizeSettings,
  abortSignal: AbortSignal,
): Promise<string> {
  const folder = blobPath.photoSet(digest);
  const { size } = await blobSizes(store, folder, abortSignal);
  if (size >= count) return folder;
  throw new SlipwayError('PhotoMissing', `Of ${count} calibration photos ${size} are in the workspace's blob store`, {
    fix: 'Deploy again from the deployment file: that uploads them.',
  });
}

/** Puts the photos of a conversion into one folder, which is what a job takes. Returns the folder. */
async function gatherPhotos(store: BlobStore, photos: readonly Digest[], abortSignal: AbortSignal): Promise<string> {
  const folder = blobPath.photoSet(digestOfJson(photos));
  for (const digest of photos) {
    const photo = await readBlob(store, blobPath.photo(digest), abortSignal);
    if (!photo) throw new SlipwayError('PhotoMissing', `Photo ${digest} is not in the workspace's blob store`);
    await uploadBlob(store, `${folder}/${digest.replace('sha256:', '')}.jpg`, photo, { abortSignal });
  }
  return folder;
}
