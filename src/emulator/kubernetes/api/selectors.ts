import type { KubeObject, LabelSelector } from '../objects/metadata.js';
import { badRequest } from './status.js';

type Labels = Readonly<Record<string, string>>;
type Requirement = (labels: Labels) => boolean;

const setRequirement = /^([^\s=!,()]+)\s+(in|notin)\s+\(([^()]*)\)$/;
const equalityRequirement = /^([^\s=!,()]+)\s*(==|!=|=)\s*([^\s=!,()]*)$/;
const existenceRequirement = /^(!?)\s*([^\s=!,()]+)$/;

/** Splits at the commas that are not inside parentheses. */
function splitRequirements(selector: string): string[] {
  return selector.split(/,(?![^(]*\))/).map((part) => part.trim());
}

function parseRequirement(text: string): Requirement {
  const set = setRequirement.exec(text);
  if (set?.[1] !== undefined && set[3] !== undefined) {
    const key = set[1];
    const values = set[3].split(',').map((value) => value.trim());
    const within: Requirement = (labels) => labels[key] !== undefined && values.includes(labels[key]);
    return set[2] === 'in' ? within : (labels) => !within(labels);
  }
  const equality = equalityRequirement.exec(text);
  if (equality?.[1] !== undefined) {
    const [, key, operator, value] = equality;
    return operator === '!=' ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
  }
  const existence = existenceRequirement.exec(text);
  if (existence?.[2] !== undefined) {
    const key = existence[2];
    return existence[1] === '!' ? (labels) => labels[key] === undefined : (labels) => labels[key] !== undefined;
  }
  throw badRequest(`unable to parse requirement: found '${text}'`);
}

/**
 * Compiles a `labelSelector` query parameter (equality and set based).
 * @throws ApiError 400 where the text is no selector.
 */
export function parseLabelSelector(selector: string | undefined): (object: KubeObject) => boolean {
  if (selector === undefined || selector.trim() === '') return () => true;
  const requirements = splitRequirements(selector).map(parseRequirement);
  return (object) => requirements.every((holds) => holds(object.metadata.labels ?? {}));
}

/** Whether labels fulfil a `matchLabels` / `matchExpressions` selector. The empty selector matches nothing here. */
export function matchesSelector(selector: LabelSelector, labels: Labels = {}): boolean {
  const pairs = Object.entries(selector.matchLabels ?? {});
  const expressions = selector.matchExpressions ?? [];
  if (pairs.length === 0 && expressions.length === 0) return false;
  return (
    pairs.every(([key, value]) => labels[key] === value) &&
    expressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      switch (operator) {
        case 'In':
          return value !== undefined && values.includes(value);
        case 'NotIn':
          return value === undefined || !values.includes(value);
        case 'Exists':
          return value !== undefined;
        case 'DoesNotExist':
          return value === undefined;
      }
    })
  );
}

/** The value of a dotted path in an object as field selectors compare it: absent reads as the empty string. */
function fieldValue(object: KubeObject, path: string): string {
  let value: unknown = object;
  for (const step of path.split('.')) {
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[step] : undefined;
  }
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

/**
 * Compiles a `fieldSelector` query parameter.
 * @param selectable the paths that this resource supports beside `metadata.name` and `metadata.namespace`
 * @throws ApiError 400 for another path or a text that is no selector.
 */
export function parseFieldSelector(
  selector: string | undefined,
  selectable: readonly string[],
): (object: KubeObject) => boolean {
  if (selector === undefined || selector.trim() === '') return () => true;
  const requirements = selector.split(',').map((text) => {
    const [, path, operator, value] = /^([^=!]+)(==|!=|=)(.*)$/.exec(text.trim()) ?? [];
    if (path === undefined || value === undefined) throw badRequest(`invalid selector: '${text}'`);
    if (!['metadata.name', 'metadata.namespace', ...selectable].includes(path)) {
      throw badRequest(`field label not supported: ${path}`);
    }
    return (object: KubeObject) => (fieldValue(object, path) === value) === (operator !== '!=');
  });
  return (object) => requirements.every((holds) => holds(object));
}
