import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { DeploymentSpec } from '../../src/deployment/spec.js';

const JsonSchema = z.looseObject({
  get properties() {
    return z.record(z.string(), JsonSchema).optional();
  },
  get items() {
    return JsonSchema.optional();
  },
  required: z.array(z.string()).default([]),
  default: z.unknown().optional(),
  enum: z.array(z.string()).optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  minItems: z.number().optional(),
  pattern: z.string().optional(),
});
type JsonSchema = z.infer<typeof JsonSchema>;

interface Member {
  readonly name: string;
  readonly required: boolean;
  readonly schema: JsonSchema;
}

/** Every member that a user can write, those of lists of objects with `[]`; a group of members is no member. */
function members(schema: JsonSchema, prefix = ''): Member[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, member]) => {
    const name = `${prefix}${key}`;
    const own = { name, required: schema.required.includes(key), schema: member };
    if (member.properties) return members(member, `${name}.`);
    return member.items?.properties ? [own, ...members(member.items, `${name}[].`)] : [own];
  });
}

const specification = members(JsonSchema.parse(z.toJSONSchema(DeploymentSpec, { io: 'input' })));

const page = readFileSync(path.resolve(import.meta.dirname, '../../docs/spec.md'), 'utf8');
const rows = new Map(
  [...page.matchAll(/^\| `([^`]+)` \| (.*?) \| (.*?) \| (.*?) ?\|$/gm)].map(
    ([, name = '', byDefault = '', meaning = '', rule = '']) => [name, { byDefault, meaning, rule }],
  ),
);

/** JSON Schema's largest whole number stands for no limit. */
const limits = ({ minimum, maximum, minItems }: JsonSchema): number[] =>
  [minimum, maximum, minItems].filter((limit) => limit !== undefined).filter((limit) => Math.abs(limit) < 2 ** 53 - 1);

/** What the specification says about a value that breaks the pattern of `name`. */
function refusal(name: string): string | undefined {
  const value = name.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), '!');
  const { error } = DeploymentSpec.safeParse(value);
  return error?.issues.find((issue) => issue.path.join('.') === name)?.message;
}

describe('docs/spec.md', () => {
  it('has a row for every member of a deployment file, and no other', () => {
    expect([...rows.keys()].sort()).toEqual(specification.map(({ name }) => name).sort());
  });

  it.each(specification)('says the default of $name', ({ name, required, schema }) => {
    const value = schema.default;
    const shown = value === undefined ? '–' : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
    expect(rows.get(name)?.byDefault).toBe(required ? 'required' : shown);
  });

  it.each(specification)('says the meaning and the rule of $name', ({ name, schema }) => {
    const { meaning = '', rule = '' } = rows.get(name) ?? {};
    expect(meaning).not.toBe('');
    for (const choice of schema.enum ?? []) expect(rule).toContain(`\`${choice}\``);
    for (const limit of limits(schema)) expect(rule.split(/\D+/)).toContain(String(limit));
    if (schema.pattern !== undefined) expect(rule).toBe(refusal(name));
  });
});
