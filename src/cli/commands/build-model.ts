import { execFile, type ExecFileException } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { SlipwayError } from '../../deployment/errors.js';
import { parseReason } from '../../deployment/reason-line.js';
import { home, packaged } from '../local/home.js';
import { pythonEnvironment } from '../local/python.js';
import { print, type Terminal } from '../render/terminal.js';

export interface BuildModelOptions {
  /** `imagenet`, `none` or a file. */
  readonly weights?: string;
  readonly classes?: string;
  readonly head?: string;
  readonly out?: string;
  readonly json?: boolean;
}

/** Weights that are not a file. */
const NAMED_WEIGHTS: readonly string[] = ['imagenet', 'none'];

/** More than TensorFlow ever says while it builds, in bytes: at the limit, Node ends the program. */
const OUTPUT_BYTES = 64 * 2 ** 20;

/**
 * `slipway models build NAME`: a SavedModel, made by `conversion/` in its own Python environment.
 *
 * @throws SlipwayError with the code that the build itself gave; `ModelNotBuilt` when it gave none
 */
export async function buildModel(name: string, options: BuildModelOptions, { say }: Terminal): Promise<number> {
  const { conversionPython, ensureConversion } = await pythonEnvironment();
  await ensureConversion();
  say(`Building ${name} (TensorFlow, up to a minute)`);
  const run = promisify(execFile)(
    conversionPython,
    ['-m', 'conversion.build', name, ...buildArguments(name, options)],
    {
      cwd: packaged(),
      maxBuffer: OUTPUT_BYTES,
      env: { ...process.env, KERAS_HOME: process.env.KERAS_HOME ?? home('cache', 'keras') },
    },
  );
  const { stdout } = await run.catch((error: ExecFileException) => {
    throw buildFailure(name, error.stderr ?? error.message);
  });
  print(stdout.trimEnd());
  return 0;
}

/** The program runs in the package's directory, so what the user names is made absolute. */
function buildArguments(name: string, { weights, classes, head, out, json }: BuildModelOptions): string[] {
  const file = weights === undefined || NAMED_WEIGHTS.includes(weights) ? weights : path.resolve(weights);
  return [
    ...['--out', path.resolve(out ?? name)],
    ...(file === undefined ? [] : ['--weights', file]),
    ...(classes === undefined ? [] : ['--classes', classes]),
    ...(head === undefined ? [] : ['--head', path.resolve(head)]),
    ...(json ? ['--json'] : []),
  ];
}

function buildFailure(name: string, stderr: string): SlipwayError {
  const lines = stderr.trimEnd().split('\n');
  const reason = lines.map(parseReason).findLast((each) => each !== undefined);
  if (reason) {
    return new SlipwayError(reason.code, reason.message, reason.fix === undefined ? {} : { fix: reason.fix });
  }
  return new SlipwayError('ModelNotBuilt', `${name} could not be built: ${lines.at(-1) ?? ''}`, {
    fix: 'docs/models.md lists the models and what may be asked of them.',
  });
}
