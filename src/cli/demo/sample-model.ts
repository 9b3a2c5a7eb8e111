import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { SlipwayError } from '../../deployment/errors.js';
import { home, packaged } from '../local/home.js';
import { withLock } from '../local/lock.js';
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
  const sources = await digestOfSources();
  if (await isBuilt(directory, sources)) return directory;
  await mkdir(path.dirname(directory), { recursive: true });
  await withLock(`${directory}.lock`, async () => {
    // Another process may have built it while this one waited.
    if (await isBuilt(directory, sources)) return;
    say(`Building the sample model ${NAME} (TensorFlow, about half a minute)`);
    await build(directory);
    await writeFile(stampOf(directory), sources);
  });
  return directory;
}

function stampOf(directory: string): string {
  return `${directory}.stamp`;
}

async function isBuilt(directory: string, sources: string): Promise<boolean> {
  return existsSync(directory) && (await readFile(stampOf(directory), 'utf8').catch(() => '')) === sources;
}

async function build(directory: string): Promise<void> {
  const { conversionPython, ensureConversion } = await pythonEnvironment();
  await ensureConversion();
  const args = ['-m', 'conversion.build', NAME, '--out', directory];
  await promisify(execFile)(conversionPython, args, { cwd: packaged(), maxBuffer: OUTPUT_BYTES }).catch(
    (error: unknown) => {
      // Its message ends with what the program wrote to stderr.
      throw new SlipwayError('ModelNotBuilt', `The sample model could not be built:\n${String(error)}`);
    },
  );
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
