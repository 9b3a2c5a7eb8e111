import { z } from 'zod';
import { closest } from '../deployment/closest.js';
import type { Problem, SourceDocument } from './document.js';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** What a value that was expected is called for people. */
const EXPECTED: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a group of members',
  record: 'a group of members',
};

/**
 * What breaks a schema, each with the member's name, its position where there is a text, and what would be right.
 *
 * @param schema names the members that a misspelt one may stand for
 */
export function schemaProblems(error: z.ZodError, schema: z.ZodType, source?: SourceDocument): Problem[] {
  const known = memberPaths(schema);
  return error.issues.flatMap((issue): Problem[] => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => {
        const path = [...issue.path, key];
        return problem(path, unknownMember(path, known), source?.positionOfKey(path));
      });
    }
    if (issue.code === 'invalid_key') {
      const [inner] = issue.issues;
      return [problem(issue.path, `is no name for it: ${inner?.message ?? ''}`, source?.positionOfKey(issue.path))];
    }
    return [problem(issue.path, describe(issue, source?.sourceOf(issue.path)), source?.positionOf(issue.path))];
  });
}

function problem(path: Path, message: string, at: Problem['at']): Problem {
  return { message: path.length === 0 ? message : `${nameOf(path)} ${message}`, ...(at ? { at } : {}) };
}

/** `smoke.photos[0].path` */
function nameOf(path: Path): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index ? '.' : ''}${String(part)}`))
    .join('');
}

function describe(issue: Issue, written: string | undefined): string {
  const { input } = issue;
  switch (issue.code) {
    case 'invalid_type':
      return mismatch(EXPECTED[issue.expected] ?? issue.expected, input, written);
    case 'invalid_value':
      return `takes ${issue.values.map(String).join(' or ')}, and is ${shown(input)}`;
    case 'too_small':
      return limit(issue.origin, `at least ${issue.minimum}`, input);
    case 'too_big':
      return limit(issue.origin, `at most ${issue.maximum}`, input);
    case 'invalid_format':
      return `takes ${issue.message}; ${shown(input)} does not fit`;
    default:
      return issue.message;
  }
}

function mismatch(expected: string, input: unknown, written: string | undefined): string {
  if (input === undefined) return `is missing; it takes ${expected}`;
  if (input === null) return `is empty; it takes ${expected}`;
  if (typeof input === 'object') return `takes ${expected}, and is ${kindOf(input)}`;
  if (expected !== 'text') return `takes ${expected}, and is ${kindOf(input)} (${shown(input)})`;
  // YAML reads 1.30 as 1.3: what was written is what was meant.
  const text = written ?? shown(input);
  return `takes text, and ${text} is ${kindOf(input)}: write it in quotes, "${text}"`;
}

function limit(origin: string, bound: string, input: unknown): string {
  if (origin === 'array' || origin === 'set') return `takes ${bound} of them`;
  if (origin === 'string') return input === '' ? 'is empty; it takes text' : `takes ${bound} characters`;
  return `takes ${bound}, and is ${shown(input)}`;
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a group of members';
  return typeof value === 'boolean' ? 'true or false' : typeof value === 'string' ? 'text' : 'a number';
}

function shown(value: unknown): string {
  return JSON.stringify(value) ?? 'nothing';
}

/** Says which member a name that does not exist may stand for: one beside it, or one of the same name elsewhere. */
function unknownMember(path: Path, known: readonly string[]): string {
  const inGroup = path.slice(0, -1).map((part) => (typeof part === 'number' ? '[]' : String(part)));
  const prefix = inGroup.length > 0 ? `${inGroup.join('.')}.` : '';
  const name = String(path.at(-1));
  const siblings = known
    .filter((each) => each.startsWith(prefix) && !each.slice(prefix.length).includes('.'))
    .map((each) => each.slice(prefix.length));
  const elsewhere = known.filter((each) => each.split('.').at(-1)?.toLowerCase() === name.toLowerCase());
  const near = closest(name, siblings) ?? elsewhere[0]?.replaceAll('.[]', '[]');
  return `is no member${near === undefined ? `; there are ${siblings.join(', ')}` : `; did you mean ${near}?`}`;
}

/** Every member that a schema has, groups included, as `smoke.photos.[].path`. */
function memberPaths(schema: z.ZodType): string[] {
  const walk = (node: JsonSchema, prefix: string): string[] => {
    const inside = Object.entries(node.properties ?? {}).flatMap(([key, member]) => [
      `${prefix}${key}`,
      ...walk(member, `${prefix}${key}.`),
    ]);
    return node.items ? [...inside, ...walk(node.items, `${prefix}[].`)] : inside;
  };
  return walk(JsonSchema.parse(z.toJSONSchema(schema, { io: 'input' })), '');
}

const JsonSchema = z.looseObject({
  get properties() {
    return z.record(z.string(), JsonSchema).optional();
  },
  get items() {
    return JsonSchema.optional();
  },
});
type JsonSchema = z.infer<typeof JsonSchema>;
