import jpegTurbo from '@julusian/jpeg-turbo';
import { describe, expect, it } from 'vitest';

import { ImageDecoder } from '../../src/scoring/server/image-decoder.js';
import pngs from '../fixtures/png/images.json' with { type: 'json' };
import { GOLDENS } from '../fixtures/scoring-goldens.js';

const decoder = new ImageDecoder({ maxPixels: 10_000, reuseMemory: true });
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

  it('of one pixel is decoded', () => {
    const pixel = jpegTurbo.compressSync(Buffer.from([9, 9, 9]), { width: 1, height: 1, quality: 100, ...FORMAT });
    const { width, height, data } = decoder.decode(pixel);
    expect([width, height, ...data]).toEqual([1, 1, 9, 9, 9]);
  });

  it('is not turned by its EXIF orientation, as by TensorFlow', () => {
    const exif = 'ffe100224578696600004d4d002a00000008000101120003000000010006000000000000';
    const turned = Buffer.concat([PHOTO.subarray(0, 2), Buffer.from(exif, 'hex'), PHOTO.subarray(2)]);
    const { width, height, data } = decoder.decode(turned);
    const expected = jpegTurbo.decompressSync(PHOTO, FORMAT);
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
    ['of no size', resized(PHOTO, 0, 7), 'Invalid image: its size is 7x0.'],
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
    ['GIF', '474946383961'],
    ['HEIC and AVIF', '0000001c667479706865696300'],
    ['TIFF', '49492a0008000000'],
    ['WebP', '524946460000000057454250'],
    ['BMP', '424d36000000'],
  ])('is what %s is not', (name, start) => {
    expect(() => decoder.decode(Buffer.from(start, 'hex'))).toThrow(`${name} images are not supported`);
  });
});

describe('a PNG', () => {
  const images = Object.entries(pngs.images).map(([name, { png, pixels }]) => ({
    name,
    png: Buffer.from(png, 'base64'),
    pixels: Buffer.from(pixels, 'base64'),
  }));
  const png = images.find(({ name }) => name === 'RGB, 8 bits')?.png ?? Buffer.alloc(0);
  const header = png.indexOf('IHDR') + 4;

  it.each(images)('of $name has the pixels that TensorFlow gives', ({ png: bytes, pixels }) => {
    const { width, height, data } = decoder.decode(bytes);
    expect([width, height]).toEqual([pngs.width, pngs.height]);
    expect(Buffer.from(data).toString('hex')).toBe(pixels.toString('hex'));
  });

  /** The PNG with bytes of its header replaced. */
  const changed = (at: number, hex: string) => {
    const copy = Buffer.from(png);
    copy.write(hex, header + at, 'hex');
    return copy;
  };

  it.each<[string, Buffer, string]>([
    ['without its end', png.subarray(0, -12), 'Invalid PNG data: it ends before its end chunk.'],
    [
      'without its header',
      Buffer.concat([png.subarray(0, 8), png.subarray(33)]),
      'Invalid PNG data: it does not begin',
    ],
    ['with only its signature', png.subarray(0, 8), 'Invalid PNG data: it ends before its end chunk.'],
    ['of a colour type that there is not', changed(9, '05'), 'Invalid PNG data: colour type 5 with 8 bits is unknown.'],
    ['of no size', changed(0, '00000000'), 'Invalid image: its size is 0x11.'],
    ['that claims too many pixels', changed(0, '7fffffff7fffffff'), '2147483647x2147483647 is over the limit of 10000'],
    ['of more pixels than it has', changed(4, '0000000c'), 'Invalid PNG data: it has too few pixels.'],
    ['of fewer pixels than it has', changed(4, '00000002'), 'Invalid PNG data: Cannot create a Buffer larger than'],
    ['with damage', damaged(png), 'Invalid PNG data: '],
  ])('%s is refused', (_, bytes, reason) => {
    expect(() => decoder.decode(bytes)).toThrow(reason);
  });
});

function damaged(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy.fill(0x3c, bytes.indexOf('IDAT') + 20, bytes.indexOf('IDAT') + 40);
  return copy;
}

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
