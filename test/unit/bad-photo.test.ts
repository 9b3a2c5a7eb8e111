import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readJpeg } from '../../src/client/photo.js';
import { scorePhotos } from '../../src/client/score.js';

const photo = path.resolve(import.meta.dirname, '../../samples/photos/coffee.jpg');
/** An EXIF segment whose thumbnail ends with an end-of-image marker of its own. */
const exif = Buffer.from('ffe1000a457869660000ffd9', 'hex');
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('a photo', () => {
  let directory: string;
  let file: string;
  let jpeg: Buffer;

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'slipway-photo-'));
    file = path.join(directory, 'rose.jpg');
    jpeg = await readFile(photo);
  });
  afterAll(() => rm(directory, { recursive: true }));

  it.each([
    ['as a camera writes it', (whole: Buffer) => whole],
    ['with something after its end', (whole: Buffer) => Buffer.concat([whole, Buffer.alloc(100)])],
    ['with a thumbnail', (whole: Buffer) => Buffer.concat([whole.subarray(0, 2), exif, whole.subarray(2)])],
  ])('%s is read', async (_how, content) => {
    await writeFile(file, content(jpeg));
    await expect(readJpeg(file)).resolves.toEqual(content(jpeg));
  });

  it.each([
    ['a PNG', latin1('\x89PNG\r\n\x1a\n')],
    ['a GIF', latin1('GIF89a')],
    ['a WebP', latin1('RIFF\x24\x00\x00\x00WEBPVP8 ')],
    ['a HEIC', latin1('\x00\x00\x00\x18ftypheic')],
    ['a TIFF', latin1('II*\x00\x08\x00')],
    ['a PDF', latin1('%PDF-1.7')],
    ['an HTML page', latin1('\n<!DOCTYPE html><html><body>404')],
    ['XML or SVG', latin1('<svg xmlns="http://www.w3.org/2000/svg">')],
    ['a Git LFS pointer', latin1('version https://git-lfs.github.com/spec/v1\noid sha256:0')],
    ['empty', Buffer.alloc(0)],
    ['text', latin1('a rose')],
    ['of another format', Buffer.from([1, 0, 2, 0])],
  ])('that is %s says so', async (what, content) => {
    await writeFile(file, content);
    await expect(readJpeg(file)).rejects.toMatchObject({
      code: 'NotAJpeg',
      message: expect.stringContaining(`${file} is not a JPEG: it is ${what}`) as string,
      fix: expect.stringContaining('Convert it') as string,
    });
  });

  it.each([
    ['in its header', (whole: Buffer) => whole.subarray(0, 20)],
    ['in its first scan', (whole: Buffer) => whole.subarray(0, whole.length / 2)],
    ['before its last marker', (whole: Buffer) => whole.subarray(0, -2)],
    ['after a thumbnail', (whole: Buffer) => Buffer.concat([whole.subarray(0, 2), exif, whole.subarray(2, -2)])],
  ])('that is cut off %s is refused', async (_where, content) => {
    await writeFile(file, content(jpeg));
    await expect(readJpeg(file)).rejects.toMatchObject({
      code: 'JpegCutOff',
      message: expect.stringContaining(file) as string,
    });
  });

  it.each([
    ['is not there', 'rosé.jpg', 'FileNotFound', 'rose.jpg?'],
    ['is a directory', 'roses', 'FileNotReadable', 'Name the file itself.'],
  ])('that %s is refused', async (_what, name, code, fix) => {
    await writeFile(file, jpeg);
    await mkdir(path.join(directory, 'roses'), { recursive: true });
    await expect(readJpeg(path.join(directory, name))).rejects.toMatchObject({
      code,
      message: expect.stringContaining(name) as string,
      fix: expect.stringContaining(fix) as string,
    });
  });

  it('is refused before a service is asked to score it', async () => {
    await writeFile(file, 'a rose');
    const closed = { address: '127.0.0.1:1', model: 'flowers' };
    await expect(scorePhotos(closed, [photo, file])).rejects.toMatchObject({ code: 'NotAPhoto' });
  });
});
