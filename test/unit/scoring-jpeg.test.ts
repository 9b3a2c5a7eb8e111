import jpegTurbo from '@julusian/jpeg-turbo';
import { describe, expect, it } from 'vitest';

import { JpegDecoder } from '../../src/scoring/server/jpeg.js';
import { GOLDENS } from '../fixtures/scoring-goldens.js';

const decoder = new JpegDecoder({ maxPixels: 10_000, reuseMemory: true });
const PHOTO =
  GOLDENS.map(({ photo }) => photo).find((photo) => photo.includes(Buffer.from('ffc0', 'hex'))) ?? Buffer.alloc(0);
const FORMAT = { format: jpegTurbo.FORMAT_RGB };
const end = PHOTO.length - 2;
const endMarker = PHOTO.subarray(end);

/** The start of scan: what comes after it is the compressed image. */
const scan = PHOTO.indexOf(Buffer.from('ffda', 'hex'));

describe('a JPEG', () => {
  it.each(GOLDENS.map(({ photo }, index) => [index, photo] as const))('%i is decoded whole', (_, photo) => {
    const { width, height, data } = decoder.decode(photo);
    const expected = jpegTurbo.decompressSync(photo, FORMAT);
    expect([width, height]).toEqual([expected.width, expected.height]);
    expect(Buffer.compare(data, expected.data)).toBe(0);
  });

  it('with bytes too many before its end is decoded, as by TensorFlow', () => {
    const expected = Buffer.from(jpegTurbo.decompressSync(PHOTO, FORMAT).data);
    const padded = Buffer.concat([PHOTO.subarray(0, end), Buffer.alloc(64, 0x11), endMarker]);
    expect(Buffer.compare(decoder.decode(padded).data, expected)).toBe(0);
  });

  it('with damage in its compressed part is decoded as far as it goes, as by TensorFlow', () => {
    const damaged = Buffer.from(PHOTO);
    damaged.fill(0x3c, end - 40, end);
    expect(decoder.decode(damaged).data).toHaveLength(decoder.decode(PHOTO).data.length);
  });

  it.each<[string, Buffer, string]>([
    ['without its end', PHOTO.subarray(0, end), 'Invalid JPEG data: the end marker is missing.'],
    ['cut in its header', PHOTO.subarray(0, scan), 'Invalid JPEG data: the end marker is missing.'],
    ['without its tables', replace(PHOTO, 'ffdb', 'ffee'), 'Invalid JPEG data: it cannot be decoded.'],
    ['of no size', resized(PHOTO, 0, 7), 'Invalid JPEG data: its size is 7x0.'],
    ['that claims too many pixels', resized(PHOTO, 101, 100), '100x101 is over the limit of 10000 pixels.'],
    [
      'of a thousand scans',
      Buffer.concat([PHOTO.subarray(0, end), ...new Array<Buffer>(1000).fill(PHOTO.subarray(scan, end)), endMarker]),
      'Invalid JPEG data: more than 100 scans.',
    ],
    ['of four components', resized(PHOTO, 10, 10, 4), 'CMYK JPEGs are not supported: convert the image to RGB.'],
  ])('%s is refused', (_, jpeg, reason) => {
    expect(() => decoder.decode(jpeg)).toThrow(reason);
  });

  it.each([
    ['PNG', '89504e470d0a1a0a'],
    ['GIF', '474946383961'],
    ['HEIC and AVIF', '0000001c667479706865696300'],
    ['TIFF', '49492a0008000000'],
    ['WebP', '524946460000000057454250'],
    ['BMP', '424d36000000'],
  ])('is what %s is not', (name, start) => {
    expect(() => decoder.decode(Buffer.from(start, 'hex'))).toThrow(`${name} images are not supported`);
  });
});

function replace(bytes: Buffer, from: string, to: string): Buffer {
  const copy = Buffer.from(bytes);
  copy.write(to, bytes.indexOf(Buffer.from(from, 'hex')), 'hex');
  return copy;
}

function resized(bytes: Buffer, height: number, width: number, components = 3): Buffer {
  const copy = Buffer.from(bytes);
  const frame = bytes.indexOf(Buffer.from('ffc0', 'hex'));
  copy.writeUInt16BE(height, frame + 5);
  copy.writeUInt16BE(width, frame + 7);
  copy[frame + 9] = components;
  return copy;
}
