import jpegTurbo from '@julusian/jpeg-turbo';
import { randomBytes } from 'node:crypto';

import { countScans, hasEnd, readJpegHeader } from './jpeg-header.js';
import { MAX_JPEG_SCANS, MAX_KEPT_DECODE_BYTES } from './limits.js';
import { ImageError, type Pixels } from './pixels.js';
import { PNG_SIGNATURE } from './png-header.js';
import { decodePng } from './png.js';

export interface ImageDecoderOptions {
  maxPixels: number;
  /** The pixels of an image may be overwritten by the next one. */
  reuseMemory: boolean;
}

/** Stands in the last row until it is decoded. */
const UNWRITTEN = randomBytes(64);

/**
 * Decodes images as TensorFlow's DecodeJpeg does by default, bit for bit: JPEGs with dct_method INTEGER_FAST, fancy upsampling and
 * EXIF orientation ignored (@julusian/jpeg-turbo always uses the fast integer DCT), and PNGs.
 */
export class ImageDecoder {
  private kept = Buffer.alloc(0);

  constructor(private readonly options: ImageDecoderOptions) {}

  /** @throws ImageError when the bytes are not a whole image of these formats, or one that is too large */
  decode(bytes: Uint8Array): Pixels {
    const image = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (image.subarray(0, PNG_SIGNATURE.length).equals(PNG_SIGNATURE)) {
      return decodePng(image, (width, height) => this.admit(width, height));
    }
    return this.decodeJpeg(image);
  }

  private decodeJpeg(image: Buffer): Pixels {
    const { width, height, components } = readJpegHeader(image);
    this.admit(width, height);
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

  private admit(width: number, height: number): void {
    if (width === 0 || height === 0) throw new ImageError(`Invalid image: its size is ${width}x${height}.`);
    const { maxPixels } = this.options;
    if (width * height > maxPixels)
      throw new ImageError(`${width}x${height} is over the limit of ${maxPixels} pixels.`);
  }

  private memory(bytes: number): Buffer {
    if (!this.options.reuseMemory || bytes > MAX_KEPT_DECODE_BYTES) return Buffer.allocUnsafeSlow(bytes);
    if (this.kept.length < bytes) this.kept = Buffer.allocUnsafeSlow(bytes);
    return this.kept.subarray(0, bytes);
  }
}
