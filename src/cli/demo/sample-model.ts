import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { SlipwayError } from '../../deployment/errors.js';
import { home, packaged } from '../local/home.js';
import { pythonEnvironment } from '../local/python.js';

const NAME = 'efficientnet-lite0';

/**
 * The sample SavedModel, built once from what is in `conversion/`.
 *
 * @returns its directory
 */
export async function sampleModel(say: (line: string) => void): Promise<string> {
  const directory = home('models', NAME);
  const stamp = `${directory}.stamp`;
  const sources = await digestOfSources();
  if (existsSync(directory) && (await readFile(stamp, 'utf8').catch(() => '')) === sources) return directory;
  say(`Building the sample model ${NAME} (TensorFlow, about half a minute)`);
  const { conversionPython, ensureConversion } = await pythonEnvironment();
  await ensureConversion();
  const args = ['-m', 'conversion.build', NAME, '--out', directory];
  const { failed, all } = await execa(conversionPython, args, { cwd: packaged(), all: true, reject: false });
  if (failed) throw new SlipwayError('ModelNotBuilt', `The sample model could not be built:\n${all}`);
  await writeFile(stamp, sources);
  return directory;
}

/** Digest of the code that builds it and of the packages that it is built with. */
async function digestOfSources(): Promise<string> {
  const conversion = packaged('conversion');
  const files = (await readdir(conversion, { recursive: true })).filter((file) =>
    /^(build\.py|featurizers\/.*\.py|requirements.*\.txt)$/.test(file.split(path.sep).join('/')),
  );
  const hash = createHash('sha256');
  for (const file of files.sort()) hash.update(`${file}\0`).update(await readFile(path.join(conversion, file)));
  return hash.digest('hex');
}
