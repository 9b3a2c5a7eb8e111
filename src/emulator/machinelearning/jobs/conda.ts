import { parse } from 'yaml';
import { z } from 'zod';
import { JobFailure } from './job.js';

const condaFileSchema = z.looseObject({
  dependencies: z.array(z.union([z.string(), z.strictObject({ pip: z.array(z.string()) })])).default([]),
});

/**
 * The pip requirements of a conda file. Of conda's own packages only python and pip are known: their versions are those of this machine.
 * Throws {@link JobFailure} for a file that cannot be built from here.
 */
export function pipRequirements(condaFile: string | undefined): string[] {
  if (condaFile === undefined || condaFile.trim() === '') return [];
  const file = condaFileSchema.safeParse(readYaml(condaFile));
  if (!file.success) throw buildFailure(`the conda file is invalid: ${z.prettifyError(file.error)}`);
  const requirements: string[] = [];
  for (const dependency of file.data.dependencies) {
    if (typeof dependency !== 'string') requirements.push(...dependency.pip);
    else if (!/^(python|pip)\b/.test(dependency)) {
      throw buildFailure(`the conda package '${dependency}' is not emulated, only those of the pip list`);
    }
  }
  return requirements;
}

function readYaml(text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw buildFailure(`the conda file is not YAML: ${String(error)}`);
  }
}

/** An environment that cannot be built, as Azure says it. */
export function buildFailure(reason: string): JobFailure {
  return new JobFailure('UserError', `Environment image build failed: ${reason}`);
}
