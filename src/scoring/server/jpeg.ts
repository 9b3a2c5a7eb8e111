import jpegTurbo from '@julusian/jpeg-turbo';
import { randomBytes } from 'node:crypto';

import { countScans, hasEnd, ImageError, readJpegHeader } from './jpeg-header.js';
import { MAX_JPEG_SCANS, MAX_KEPT_DECODE_BYTES } from './limits.js';

export { ImageError } from './jpeg-header.js';

/** One decoded image: `height × width × 3` bytes, RGB, row by row. */
export interface Pixels {
  width: number;
  height: number;
  data: Uint8Array;
}

export interface JpegDecoderOptions {
  maxPixels: number;
  /** The pixels of an image may be overwritten by the next one. */
  reuseMemory: boolean;
}

/** Stands in the last row until it is decoded. */
const UNWRITTEN = randomBytes(64);

/**
 * Decodes JPEGs as TensorFlow's DecodeJpeg does by default (dct_method INTEGER_FAST, fancy upsampling, EXIF orientation
 * ignored), bit for bit: @julusian/jpeg-turbo always uses the fast integer DCT.
 */
export class JpegDecoder {
  private kept = Buffer.alloc(0);

  constructor(private readonly options: JpegDecoderOptions) {}

  /** @throws ImageError when the bytes are not a whole JPEG, or one that is too large or of too many scans */
  decode(bytes: Uint8Array): Pixels {
    const image = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const { width, height, components } = readJpegHeader(image);
    if (width === 0 || height === 0) throw new ImageError(`Invalid JPEG data: its size is ${width}x${height}.`);
    const { maxPixels } = this.options;
    if (width * height > maxPixels)
      throw new ImageError(`${width}x${height} is over the limit of ${maxPixels} pixels.`);
    if (components === 4) throw new ImageError('CMYK JPEGs are not supported: convert the image to RGB.');
    if (countScans(image, MAX_JPEG_SCANS) > MAX_JPEG_SCANS) {
      throw new ImageError(`Invalid JPEG data: more than ${MAX_JPEG_SCANS} scans.`);
    }
    if (!hasEnd(image)) throw new ImageError('Invalid JPEG data: the end marker is missing.');
    const data = this.memory(width * height * 3);
    const lastRow = data.subarray(-width * 3).fill(UNWRITTEN);
    const unwritten = lastRow.subarray(-UNWRITTEN.length).toString('latin1');
    try {
      jpegTurbo.decompressSync(image, data, { format: jpegTurbo.FORMAT_RGB });
    } catch {
      // libjpeg repairs what it can and warns, and so does TensorFlow; the binding gives the same error for a warning as for
      // the end of decoding. Only the end leaves the last row as it was.
      const written = lastRow.subarray(-UNWRITTEN.length).toString('latin1') !== unwritten;
      if (!written) throw new ImageError('Invalid JPEG data: it cannot be decoded.');
    }
    return { width, height, data };
  }

  private memory(bytes: number): Buffer {
    if (!this.options.reuseMemory || bytes > MAX_KEPT_DECODE_BYTES) return Buffer.allocUnsafeSlow(bytes);
    if (this.kept.length < bytes) this.kept = Buffer.allocUnsafeSlow(bytes);
    return this.kept.subarray(0, bytes);
  }
}
