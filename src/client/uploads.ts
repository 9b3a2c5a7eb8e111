import path from 'node:path';
import pLimit from 'p-limit';
import type { BlobStore } from '../azure/blobs.js';
import { type OnTransfer, TransferTally } from '../azure/transfer.js';
import { readTree, uploadCalibration, uploadModel, uploadPhoto, type LocalTree } from '../azure/uploads.js';
import type { SmokePhoto } from '../deployment/input.js';
import type { DeploymentSpec } from '../deployment/spec.js';
import { readCalibration } from './calibration.js';
import { registeredSource, type Uploads } from './deploy-input.js';
import { readJpeg } from './photo.js';
import { PARALLEL_UPLOADS } from './limits.js';
import { readModelTags } from './model-tags.js';
import { checkSavedModel } from './saved-model.js';
import type { LocatedSpec } from './spec-file.js';

/** A file that a specification names, read. */
interface Photo {
  readonly name: string;
  readonly content: Buffer;
  readonly expect?: number;
}

/** The files of a specification, checked: nothing is sent before all of them are right. */
export interface LocalFiles {
  /** SavedModel directory; absent when the model is registered already. */
  readonly model?: string;
  /** That the SavedModel carries. */
  readonly tags?: Readonly<Record<string, string>>;
  readonly photos: readonly Photo[];
  /** What int8 is calibrated on, where it is asked for. */
  readonly calibration?: LocalTree;
}

/**
 * Finds and checks the files that a specification names.
 *
 * @throws SlipwayError the codes of {@link readJpeg}, {@link readCalibration} and {@link checkSavedModel}
 */
export async function readFiles({ spec, directory }: LocatedSpec): Promise<LocalFiles> {
  const photos = await Promise.all(spec.smoke.photos.map((photo) => readSmokePhoto(photo, directory)));
  const { quantize } = spec.conversion;
  const calibration = quantize && (await readCalibration(path.resolve(directory, quantize.calibration), photos));
  const read = { photos, ...(calibration ? { calibration } : {}) };
  if (spec.model.path === undefined) return read;
  const model = path.resolve(directory, spec.model.path);
  await checkSavedModel(model, spec.model);
  return { ...read, model, tags: await readModelTags(model) };
}

/** Brings the files into the blob store under their digests, where they are not there already. */
export async function upload(
  spec: DeploymentSpec,
  files: LocalFiles,
  store: BlobStore,
  onTransfer?: OnTransfer,
): Promise<Uploads> {
  const tree = files.model === undefined ? undefined : await readTree(files.model);
  const { calibration } = files;
  const local = [tree, calibration].flatMap((each) => [...(each?.files.values() ?? [])].map(({ bytes }) => bytes));
  const tally = new TransferTally([...local, ...files.photos.map(({ content }) => content.length)], onTransfer);
  const limit = pLimit(PARALLEL_UPLOADS);
  const photos = await Promise.all(
    files.photos.map(({ name, content, expect }) =>
      limit(async (): Promise<SmokePhoto> => {
        const digest = await uploadPhoto(store, content, { tally });
        return { name, digest, ...(expect === undefined ? {} : { expect }) };
      }),
    ),
  );
  const source = tree ? await uploadModel(store, tree, { tally }) : registeredSource(spec.model.source ?? '');
  const uploaded = calibration && (await uploadCalibration(store, calibration, { tally }));
  return { source, tags: files.tags ?? {}, photos, ...(uploaded ? { calibration: uploaded } : {}) };
}

async function readSmokePhoto(photo: DeploymentSpec['smoke']['photos'][number], directory: string): Promise<Photo> {
  const content = await readJpeg(path.resolve(directory, photo.path));
  return { name: path.basename(photo.path), content, ...(photo.expect === undefined ? {} : { expect: photo.expect }) };
}
