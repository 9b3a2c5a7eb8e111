import pLimit from 'p-limit';
import { SlipwayError } from '../deployment/errors.js';
import { PARALLEL_FILE_READS } from './limits.js';
import { readNamedFile } from './local-file.js';

/** Bytes that a file of a format begins with, at an offset. */
interface Format {
  readonly name: string;
  readonly magic: string;
  readonly offset?: number;
}

/** What is often taken for a JPEG, by its first bytes. */
const OTHER_FORMATS: readonly Format[] = [
  { name: 'a PNG', magic: '\x89PNG' },
  { name: 'a GIF', magic: 'GIF8' },
  { name: 'a WebP', magic: 'WEBP', offset: 8 },
  { name: 'a HEIC', magic: 'ftyphei', offset: 4 },
  { name: 'a HEIC', magic: 'ftypmif1', offset: 4 },
  { name: 'an AVIF', magic: 'ftypavif', offset: 4 },
  { name: 'a JPEG XL', magic: '\x00\x00\x00\x0cJXL ' },
  { name: 'a JPEG XL', magic: '\xff\x0a' },
  { name: 'a JPEG 2000', magic: '\x00\x00\x00\x0cjP  ' },
  { name: 'a TIFF', magic: 'II*\x00' },
  { name: 'a TIFF', magic: 'MM\x00*' },
  { name: 'a BMP', magic: 'BM' },
  { name: 'a PDF', magic: '%PDF' },
  { name: 'a ZIP', magic: 'PK\x03\x04' },
  { name: 'a Git LFS pointer, whose photo was not fetched', magic: 'version https://git-lfs' },
];
const PNG = Buffer.from('\x89PNG', 'latin1');
/** Bytes at the start of a file that tell what it is. */
const HEAD_BYTES = 256;

const CONVERT = 'Convert it, for example with `magick IN OUT.jpg`; another name alone does not make it one.';

/** Markers of JPEG (ITU-T T.81, table B.1), after the 0xff that each begins with. */
const MARKER = { start: 0xd8, end: 0xd9, scan: 0xda, temporary: 0x01, firstRestart: 0xd0, lastRestart: 0xd7 } as const;

/**
 * Reads a JPEG.
 *
 * @throws SlipwayError `FileNotFound`, `FileNotReadable`, `NotAJpeg` with what it is instead, `JpegCutOff`
 */
export async function readJpeg(file: string): Promise<Buffer> {
  const content = await readNamedFile(file, 'a photo');
  if (!beginsAsJpeg(content)) {
    throw new SlipwayError('NotAJpeg', `${file} is not a JPEG: it is ${whatIs(content)}`, { fix: CONVERT });
  }
  requireWhole(file, content);
  return content;
}

/**
 * Checks that files are what a scoring server decodes: JPEGs, or PNGs. A few are in memory at a time.
 *
 * @throws SlipwayError `FileNotFound`, `FileNotReadable`, `NotAPhoto` with what it is instead, `JpegCutOff`
 */
export async function checkPhotos(files: readonly string[]): Promise<void> {
  const limit = pLimit(PARALLEL_FILE_READS);
  await Promise.all(files.map((file) => limit(checkPhoto, file)));
}

async function checkPhoto(file: string): Promise<void> {
  const content = await readNamedFile(file, 'a photo');
  if (beginsAsJpeg(content)) {
    requireWhole(file, content);
    return;
  }
  if (content.subarray(0, PNG.length).equals(PNG)) return;
  throw new SlipwayError('NotAPhoto', `${file} is neither a JPEG nor a PNG: it is ${whatIs(content)}`, {
    fix: CONVERT,
  });
}

function beginsAsJpeg(content: Buffer): boolean {
  return content[0] === 0xff && content[1] === MARKER.start && content[2] === 0xff;
}

function requireWhole(file: string, content: Buffer): void {
  if (isWhole(content)) return;
  throw new SlipwayError('JpegCutOff', `${file} is a JPEG that is cut off after ${content.length} bytes`, {
    fix: 'Download or copy it again.',
  });
}

function whatIs(content: Buffer): string {
  if (content.length === 0) return 'empty';
  const head = content.toString('latin1', 0, HEAD_BYTES);
  const known = OTHER_FORMATS.find(({ magic, offset = 0 }) => head.startsWith(magic, offset));
  if (known) return known.name;
  if (/^\s*(<!doctype html|<html)/i.test(head)) return 'an HTML page, as a download that failed leaves it';
  if (/^\s*(<\?xml|<svg)/i.test(head)) return 'XML or SVG';
  return content.subarray(0, HEAD_BYTES).includes(0) ? 'of another format' : 'text';
}

/**
 * Whether the end-of-image marker comes after the first scan. TensorFlow and the scoring server refuse a JPEG without it; what
 * stands after it (cameras append previews) counts for nothing. The marker of a thumbnail in the header is passed over.
 */
function isWhole(content: Buffer): boolean {
  for (let at = 2; at + 4 <= content.length;) {
    const marker = content[at + 1] ?? 0;
    if (content[at] !== 0xff) return true; // Not as the standard has it: the decoder is to judge.
    if (marker === 0xff) at += 1;
    else if (marker === MARKER.scan) return content.includes(Buffer.from([0xff, MARKER.end]), at);
    else if (isAlone(marker)) at += 2;
    else at += 2 + content.readUInt16BE(at + 2);
  }
  return false;
}

/** Markers without a segment. */
function isAlone(marker: number): boolean {
  return marker === MARKER.temporary || (marker >= MARKER.firstRestart && marker <= MARKER.lastRestart);
}
