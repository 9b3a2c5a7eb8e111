import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { environmentDigest, type EnvironmentContent } from '../azure/environments.js';
import { readTree, type LocalTree } from '../azure/uploads.js';
import type { ConversionInput } from '../deployment/activities.js';
import { digestOfJson, type Digest } from '../deployment/digests.js';
import { SlipwayError } from '../deployment/errors.js';
import type { QuantizeSettings } from '../deployment/input.js';

/** What a conversion job is made of, apart from its model: the code that is shipped with the package and its environment. */
export interface ConversionParts {
  readonly code: LocalTree;
  readonly environment: EnvironmentContent;
}

/** Parts of the code that the job does not run. */
const NOT_SHIPPED = /(^|\/)(__pycache__|tests|\.[^/]*)(\/|$)/;

/**
 * Reads the conversion's code and environment.
 *
 * @param directory the Python package `conversion`
 * @throws SlipwayError `PackageIncomplete`
 */
export async function readConversionParts(directory: string): Promise<ConversionParts> {
  try {
    const [code, image, condaFile] = await Promise.all([
      readTree(directory, (file) => !NOT_SHIPPED.test(file)),
      readFile(path.join(directory, 'image.txt'), 'utf8'),
      readFile(path.join(directory, 'environment.yml'), 'utf8'),
    ]);
    return { code, environment: { image: image.trim(), condaFile } };
  } catch (cause) {
    throw new SlipwayError('PackageIncomplete', `The conversion's code is not whole: ${String(cause)}`, {
      fix: 'Install Slipway again.',
      cause,
    });
  }
}

/**
 * Digest of everything that the result of a conversion depends on. Where it runs is not part of it: equal conversions share
 * their result, whoever asked for them.
 */
export function conversionDigest({ source, model, photos, settings }: ConversionInput, parts: ConversionParts): Digest {
  return digestOfJson({
    source: source.digest,
    signature: model.signature,
    input: model.input,
    outputs: model.outputs,
    photos: photoDigests(photos),
    parity: settings.parity,
    quantize: settings.quantize,
    code: parts.code.digest,
    environment: environmentDigest(parts.environment),
  });
}

/** The photos' digests, each once and in an order that does not depend on the file that named them. */
export function photoDigests(photos: ConversionInput['photos']): Digest[] {
  return [...new Set(photos.map(({ digest }) => digest))].sort();
}

/** The command of the job, for the shell that Azure ML runs it with. */
export function conversionCommand({ model, settings }: Pick<ConversionInput, 'model' | 'settings'>): string {
  const outputs = model.outputs.flatMap((output) => ['--output', quoted(output)]);
  return [
    'python -m conversion.job --model ${{inputs.model}} --photos ${{inputs.photos}}',
    `--signature ${quoted(model.signature)} --input ${quoted(model.input)}`,
    ...outputs,
    `--parity-relative ${settings.parity.relative} --parity-top5 ${settings.parity.top5}`,
    `--max-memory ${settings.maxMemory}`,
    ...(settings.quantize ? [quantizeOptions(settings.quantize)] : []),
    '--out ${{outputs.converted}}',
  ].join(' ');
}

function quantizeOptions({ to, parity }: QuantizeSettings): string {
  const limits = `--int8-relative ${parity.relative} --int8-top5 ${parity.top5}`;
  return `--quantize ${to} --calibration \${{inputs.calibration}} ${limits}`;
}

/** A word of a POSIX shell: tensor names may hold any character. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
