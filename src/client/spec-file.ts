import path from 'node:path';
import { SlipwayError } from '../deployment/errors.js';
import { DeploymentSpec, type DeploymentSpecInput } from '../deployment/spec.js';
import { listProblems, SourceDocument, type Problem } from './document.js';
import { readNamedFile } from './local-file.js';
import { schemaProblems } from './schema-problems.js';

/** A deployment file that was read, and the directory that its paths are relative to. */
export interface LocatedSpec {
  readonly spec: DeploymentSpec;
  readonly directory: string;
}

/**
 * Reads a deployment file (YAML, of which JSON is a part).
 *
 * @throws SlipwayError `InvalidSpec` with every problem, its line and its column; `FileNotFound`, `FileNotReadable`
 */
export async function readSpec(file: string): Promise<LocatedSpec> {
  const source = SourceDocument.parse((await readNamedFile(file, 'the deployment file')).toString('utf8'));
  if (source.value === null) throw invalidSpec(file, [{ message: 'the file is empty', at: { line: 1, column: 1 } }]);
  // A key that is written twice leaves a value that can be looked at; broken syntax leaves guesses.
  if (source.problems.some(({ kind }) => kind === 'syntax')) throw invalidSpec(file, source.problems);
  const parsed = DeploymentSpec.safeParse(source.value, { reportInput: true });
  if (parsed.success && source.problems.length === 0) {
    return { spec: parsed.data, directory: path.dirname(path.resolve(file)) };
  }
  const broken = parsed.success ? [] : schemaProblems(parsed.error, DeploymentSpec, source);
  throw invalidSpec(file, [...source.problems, ...broken]);
}

/**
 * Checks a specification that a script wrote; its paths are relative to `directory`.
 *
 * @throws SlipwayError `InvalidSpec` with every problem
 */
export function parseSpec(value: DeploymentSpecInput, directory: string): LocatedSpec {
  const parsed = DeploymentSpec.safeParse(value, { reportInput: true });
  if (!parsed.success) throw invalidSpec('the specification', schemaProblems(parsed.error, DeploymentSpec));
  return { spec: parsed.data, directory };
}

function invalidSpec(file: string, problems: readonly Problem[]): SlipwayError {
  return new SlipwayError('InvalidSpec', listProblems(file, problems), {
    fix: 'docs/spec.md has every member with its rule; samples/deployment.yaml is an example.',
  });
}
