import jpegTurbo from '@julusian/jpeg-turbo';

import { MAX_PIXELS } from './limits.js';

/** One decoded image: `height × width × 3` bytes, RGB, row by row. */
export interface Pixels {
  width: number;
  height: number;
  data: Uint8Array;
}

/** Bytes that are not an image this server can score; the message says why, for the caller. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
}

const OTHER_FORMATS: [name: string, magic: string][] = [
  ['PNG', '\x89PNG'],
  ['GIF', 'GIF8'],
  ['BMP', 'BM'],
  ['WebP', 'RIFF'],
];

/**
 * Decodes a JPEG as TensorFlow's DecodeJpeg does by default (dct_method INTEGER_FAST, fancy upsampling, EXIF orientation
 * ignored), bit for bit: @julusian/jpeg-turbo always uses the fast integer DCT.
 *
 * @throws ImageError when the bytes are not a whole JPEG
 */
export function decodeJpeg(bytes: Uint8Array): Pixels {
  const { width, height, components } = readFrameHeader(bytes);
  if (width * height > MAX_PIXELS)
    throw new ImageError(`${width}x${height} is over the limit of ${MAX_PIXELS} pixels.`);
  if (components === 4) throw new ImageError('CMYK JPEGs are not supported: convert the image to RGB.');
  try {
    const image = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const decoded = jpegTurbo.decompressSync(image, { format: jpegTurbo.FORMAT_RGB });
    return { width: decoded.width, height: decoded.height, data: decoded.data };
  } catch (error) {
    throw new ImageError(`Invalid JPEG data: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Reads the size from the start-of-frame segment, before memory for the pixels is taken (ITU T.81, B.2). */
function readFrameHeader(bytes: Uint8Array): { width: number; height: number; components: number } {
  if (bytes.length === 0) throw new ImageError('Input is empty.');
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) throw new ImageError(describeOtherFormat(bytes));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 2;
  while (at + 9 < bytes.length) {
    if (view.getUint8(at) !== 0xff) break;
    const marker = view.getUint8(at + 1);
    if (marker === 0xff || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
      at += marker === 0xff ? 1 : 2;
      continue;
    }
    if (isStartOfFrame(marker)) {
      return { height: view.getUint16(at + 5), width: view.getUint16(at + 7), components: view.getUint8(at + 9) };
    }
    at += 2 + view.getUint16(at + 2);
  }
  throw new ImageError('Invalid JPEG data: no frame header found.');
}

/** SOF0 to SOF15, without DHT (C4), JPG (C8) and DAC (CC), which share their range. */
function isStartOfFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

function describeOtherFormat(bytes: Uint8Array): string {
  const start = Buffer.from(bytes.subarray(0, 4)).toString('latin1');
  const other = OTHER_FORMATS.find(([, magic]) => start.startsWith(magic));
  if (other) return `${other[0]} images are not supported: this model takes JPEG.`;
  return 'Unknown image file format. JPEG is required.';
}
