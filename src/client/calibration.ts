import path from 'node:path';
import pLimit from 'p-limit';
import type { LocalFile, LocalTree } from '../azure/uploads.js';
import { digestOf, digestOfTree, type Digest } from '../deployment/digests.js';
import { SlipwayError } from '../deployment/errors.js';
import { readJpeg } from './photo.js';
import { PARALLEL_FILE_READS } from './limits.js';
import { findNamedFiles } from './local-file.js';

/**
 * Finds and checks the photos of a directory and those below it, hidden files left out. They are to be one folder in which
 * each is named by its content, so that neither names nor copies make another folder of it.
 *
 * @param testPhotos those that the result is checked with, by name: what int8 was fitted to says nothing about others
 * @throws SlipwayError `CalibrationEmpty`, `CalibrationOverlap`, `FileNotFound`, `FileNotReadable`, `NotAJpeg`, `JpegCutOff`
 */
export async function readCalibration(
  directory: string,
  testPhotos: readonly { name: string; content: Buffer }[],
): Promise<LocalTree> {
  const found = await findNamedFiles(directory, 'the calibration photos');
  const limit = pLimit(PARALLEL_FILE_READS);
  const photos = await Promise.all(
    found.filter((file) => !isHidden(path.relative(directory, file))).map((file) => limit(() => readPhoto(file))),
  );
  if (photos.length === 0) {
    throw new SlipwayError('CalibrationEmpty', `There are no calibration photos in ${directory}`, {
      fix: 'Put some tens of JPEGs into it that are like those to be scored.',
    });
  }
  requireOthers(photos, testPhotos);
  const files = new Map(photos.map((photo) => [`${photo.digest.slice('sha256:'.length)}.jpg`, photo]));
  const digest = digestOfTree(new Map([...files].map(([name, photo]) => [name, photo.digest])));
  return { files, digest, bytes: [...files.values()].reduce((sum, { bytes }) => sum + bytes, 0) };
}

async function readPhoto(file: string): Promise<LocalFile> {
  const content = await readJpeg(file);
  return { file, bytes: content.length, digest: digestOf(content) };
}

function requireOthers(photos: readonly LocalFile[], testPhotos: readonly { name: string; content: Buffer }[]): void {
  const tests = new Map<Digest, string>(testPhotos.map(({ name, content }) => [digestOf(content), name]));
  const both = photos.flatMap(({ file, digest }) => (tests.has(digest) ? [`${file} (${tests.get(digest)})`] : []));
  if (both.length === 0) return;
  throw new SlipwayError('CalibrationOverlap', `Calibration photos are smoke photos too: ${both.join(', ')}`, {
    fix: 'Take them out of the directory or out of smoke.photos: what int8 was fitted to says nothing about other photos.',
  });
}

function isHidden(name: string): boolean {
  return name.split(path.sep).some((part) => part.startsWith('.'));
}
