import { ImageError } from './pixels.js';

/** What a JPEG says of itself before its pixels are decoded. */
export interface JpegHeader {
  width: number;
  height: number;
  components: number;
}

const OTHER_FORMATS: [name: string, magic: string][] = [
  ['GIF', 'GIF8'],
  ['BMP', 'BM'],
  ['WebP', 'RIFF'],
  ['TIFF', 'II*\0'],
  ['TIFF', 'MM\0*'],
];

const START_OF_SCAN = Buffer.from('ffda', 'hex');
const END_OF_IMAGE = Buffer.from('ffd9', 'hex');

/**
 * Reads the size from the start-of-frame segment (ITU T.81, B.2), before memory for the pixels is taken.
 *
 * @throws ImageError when the bytes are no JPEG
 */
export function readJpegHeader(bytes: Buffer): JpegHeader {
  if (bytes.length === 0) throw new ImageError('Input is empty.');
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) throw new ImageError(describeOtherFormat(bytes));
  let at = 2;
  while (at + 9 < bytes.length) {
    const marker = bytes[at + 1] ?? 0;
    if (isStartOfFrame(marker) && bytes[at] === 0xff) {
      return {
        height: bytes.readUInt16BE(at + 5),
        width: bytes.readUInt16BE(at + 7),
        components: bytes.readUInt8(at + 9),
      };
    }
    at += bytes[at] === 0xff ? lengthOf(marker, bytes, at) : 1;
  }
  throw new ImageError('Invalid JPEG data: no frame header found.');
}

/** Bytes from a marker to where the next one may be. What is no marker is passed over, as libjpeg does. */
function lengthOf(marker: number, bytes: Buffer, at: number): number {
  if (marker === 0xff) return 1;
  const standsAlone = marker === 0x00 || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);
  return standsAlone ? 2 : 2 + bytes.readUInt16BE(at + 2);
}

/** How often an image starts a scan; those of an embedded thumbnail count too. Compressed data never holds a marker. */
export function countScans(bytes: Buffer, limit: number): number {
  let scans = 0;
  for (let at = bytes.indexOf(START_OF_SCAN); at >= 0 && scans <= limit; at = bytes.indexOf(START_OF_SCAN, at + 2)) {
    scans++;
  }
  return scans;
}

/** Whether the end marker comes after the last scan began, as TensorFlow wants it. */
export function hasEnd(bytes: Buffer): boolean {
  return bytes.lastIndexOf(END_OF_IMAGE) > bytes.lastIndexOf(START_OF_SCAN);
}

/** SOF0 to SOF15, without DHT (C4), JPG (C8) and DAC (CC), which share their range. */
function isStartOfFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

function describeOtherFormat(bytes: Buffer): string {
  const start = bytes.toString('latin1', 0, 4);
  if (bytes.toString('latin1', 4, 8) === 'ftyp')
    return 'HEIC and AVIF images are not supported: this model takes JPEG and PNG.';
  const other = OTHER_FORMATS.find(([, magic]) => start.startsWith(magic));
  if (other) return `${other[0]} images are not supported: this model takes JPEG and PNG.`;
  return 'Unknown image file format. One of JPEG, PNG is required.';
}
