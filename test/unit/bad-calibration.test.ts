import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseSpec } from '../../src/client/spec-file.js';
import { readFiles } from '../../src/client/uploads.js';

const samples = path.resolve(import.meta.dirname, '../../samples/photos');

describe('calibration photos', () => {
  let directory: string;
  let jpeg: Buffer;

  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'slipway-calibration-'));
    await mkdir(path.join(directory, 'photos', 'cats'), { recursive: true });
    jpeg = await readFile(path.join(samples, 'chelsea.jpg'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  /** A photo that is like no other. */
  const photo = (end: string): Buffer => Buffer.concat([jpeg, Buffer.from(end)]);
  const write = (name: string, content: Buffer | string) => writeFile(path.join(directory, name), content);
  const read = (calibration = 'photos') =>
    readFiles(
      parseSpec(
        {
          service: 'flowers',
          model: { source: 'azureml:flowers:1' },
          conversion: { quantize: { to: 'int8', calibration } },
          smoke: { photos: [{ path: path.join(samples, 'coffee.jpg') }] },
        },
        directory,
      ),
    );

  it('are one folder of the same digest, whatever their names and however often each is there', async () => {
    await write('photos/a.jpg', photo('a'));
    await write('photos/b.jpeg', photo('b'));
    const { calibration } = await read();
    await write('photos/cats/b.jpg', photo('b'));
    await rm(path.join(directory, 'photos/b.jpeg'));
    await write('photos/cats/copy.jpg', photo('b'));
    await write('photos/.DS_Store', 'hidden');
    const again = await read();
    expect(again.calibration?.digest).toBe(calibration?.digest);
    expect(again.calibration?.bytes).toBe(calibration?.bytes);
    for (const [name, { digest, file }] of again.calibration?.files ?? []) {
      expect(name).toBe(`${digest.replace('sha256:', '')}.jpg`);
      expect(await readFile(file)).toHaveLength(jpeg.length + 1);
    }
    await write('photos/c.jpg', photo('c'));
    expect((await read()).calibration?.digest).not.toBe(calibration?.digest);
  });

  it('of which there is none are refused', async () => {
    await write('photos/.DS_Store', 'hidden');
    await expect(read()).rejects.toMatchObject({
      code: 'CalibrationEmpty',
      message: expect.stringContaining(path.join(directory, 'photos')) as string,
    });
  });

  it('that are smoke photos too are named and refused, whatever they are called', async () => {
    await write('photos/a.jpg', photo('a'));
    await write('photos/cats/mug.jpg', await readFile(path.join(samples, 'coffee.jpg')));
    await expect(read()).rejects.toMatchObject({
      code: 'CalibrationOverlap',
      message: expect.stringMatching(/cats\/mug\.jpg \(coffee\.jpg\)$/) as string,
    });
  });

  it.each([
    ['a directory that is not there', 'photo', 'FileNotFound', /no directory .*photo \(/],
    ['a file', 'photos/cats/notes.txt', 'FileNotReadable', /notes\.txt is no directory/],
    ['a directory with something else in it', 'photos', 'NotAJpeg', /notes\.txt is not a JPEG: it is text/],
  ])('in %s are refused', async (_where, calibration, code, message) => {
    await write('photos/a.jpg', photo('a'));
    await write('photos/cats/notes.txt', 'cats');
    await expect(read(calibration)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
  });
});
