import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { SlipwayError } from '../../deployment/errors.js';
import { home, packaged } from '../local/home.js';
import { pythonEnvironment } from '../local/python.js';

const NAME = 'efficientnet-lite0';

/** More than TensorFlow ever says while it builds, in bytes: at the limit, Node ends the program. */
const OUTPUT_BYTES = 64 * 2 ** 20;

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
  await promisify(execFile)(conversionPython, args, { cwd: packaged(), maxBuffer: OUTPUT_BYTES }).catch(
    (error: unknown) => {
      // Its message ends with what the program wrote to stderr.
      throw new SlipwayError('ModelNotBuilt', `The sample model could not be built:\n${String(error)}`);
    },
  );
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
