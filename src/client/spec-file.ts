import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { LineCounter, isNode, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import { SlipwayError } from '../deployment/errors.js';
import { DeploymentSpec, type DeploymentSpecInput } from '../deployment/spec.js';

/** A deployment file that was read, and the directory that its paths are relative to. */
export interface LocatedSpec {
  readonly spec: DeploymentSpec;
  readonly directory: string;
}

/**
 * Reads a deployment file (YAML, of which JSON is a part).
 *
 * @throws SlipwayError `InvalidSpec` with every problem and its line
 */
export async function readSpec(file: string): Promise<LocatedSpec> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw invalidSpec(file, [cause instanceof Error ? cause.message : String(cause)]);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  if (document.errors.length > 0) {
    throw invalidSpec(
      file,
      document.errors.map((error) => error.message.split('\n', 1)[0] ?? error.code),
    );
  }
  const parsed = DeploymentSpec.safeParse(document.toJS());
  if (!parsed.success) {
    throw invalidSpec(
      file,
      parsed.error.issues.map((issue) => describeIssue(issue, document, lines)),
    );
  }
  return { spec: parsed.data, directory: path.dirname(path.resolve(file)) };
}

/**
 * Checks a specification that a script wrote; its paths are relative to `directory`.
 *
 * @throws SlipwayError `InvalidSpec` with every problem
 */
export function parseSpec(value: DeploymentSpecInput, directory: string): LocatedSpec {
  const parsed = DeploymentSpec.safeParse(value);
  if (!parsed.success) {
    throw invalidSpec(
      'the specification',
      parsed.error.issues.map((issue) => describeIssue(issue)),
    );
  }
  return { spec: parsed.data, directory };
}

function describeIssue(issue: z.core.$ZodIssue, document?: Document, lines?: LineCounter): string {
  const where = issue.path.join('.') || 'the file';
  const line = document && lines ? lineOf(issue.path, document, lines) : undefined;
  return `${line === undefined ? '' : `line ${line}: `}${where}: ${issue.message}`;
}

/** Line of the innermost node of the path that the file has: a missing member is reported where it belongs. */
function lineOf(where: readonly PropertyKey[], document: Document, lines: LineCounter): number | undefined {
  for (let depth = where.length; depth >= 0; depth--) {
    const node = document.getIn(where.slice(0, depth), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return undefined;
}

function invalidSpec(file: string, problems: readonly string[]): SlipwayError {
  const shown =
    problems.length === 1 ? ` ${problems[0] ?? ''}` : `\n${problems.map((problem) => `  ${problem}`).join('\n')}`;
  return new SlipwayError('InvalidSpec', `${file}:${shown}`);
}
