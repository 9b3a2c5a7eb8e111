import { type ArmError, badRequest } from '../arm/errors.js';
import { resourceName } from '../arm/resource-id.js';

/** What a filter looks at. */
export interface Filtered {
  readonly id: string;
  readonly type: string;
  readonly location: string;
  readonly tags?: Readonly<Record<string, string>>;
}

const comparison = /^(\w+)\s+eq\s+'((?:[^']|'')*)'$/i;
const partOfName = /^substringof\('((?:[^']|'')*)',\s*name\)$/i;

/** What of a resource each field is compared with; upper and lower case are the same, as everywhere in Resource Manager. */
const fields: Readonly<Record<string, (resource: Filtered) => string | undefined>> = {
  name: ({ id }) => resourceName(id),
  resourcetype: ({ type }) => type,
  resourcegroup: ({ id }) => id.split('/')[4],
  location: ({ location }) => location,
};

/**
 * Reads the `$filter` of a list of resources or resource groups: `eq` on `resourceType`, `resourceGroup`, `location`, `name`,
 * `tagName` and `tagValue`, and `substringof('…', name)`, joined by `and`. Throws ArmError `InvalidFilterInQueryString`.
 */
export function parseFilter(filter = ''): (resource: Filtered) => boolean {
  const terms = filter.trim() === '' ? [] : filter.trim().split(/\s+and\s+/i);
  const values = new Map<string, string>();
  const conditions: ((resource: Filtered) => boolean)[] = [];
  for (const term of terms) {
    const part = partOfName.exec(term)?.[1]?.toLowerCase();
    const [, field = '', value = ''] = comparison.exec(term) ?? [];
    const name = field.toLowerCase();
    const read = fields[name];
    if (part !== undefined) conditions.push(({ id }) => resourceName(id).toLowerCase().includes(part));
    else if (read !== undefined) conditions.push((resource) => same(read(resource), value));
    else if (name === 'tagname' || name === 'tagvalue') values.set(name, value);
    else throw invalidFilter(filter);
  }
  // A tag's value is that of the tag which the same filter names.
  const tagName = values.get('tagname');
  const tagValue = values.get('tagvalue');
  if (tagName === undefined && tagValue !== undefined) throw invalidFilter(filter);
  return (resource) =>
    conditions.every((holds) => holds(resource)) &&
    (tagName === undefined || hasTag(resource.tags ?? {}, tagName, tagValue));
}

/** Names of tags ignore case, their values do not. */
function hasTag(tags: Readonly<Record<string, string>>, wanted: string, value: string | undefined): boolean {
  return Object.entries(tags).some(([name, held]) => same(name, wanted) && (value === undefined || held === value));
}

function same(one: string | undefined, other: string): boolean {
  return one?.toLowerCase() === other.replaceAll("''", "'").toLowerCase();
}

function invalidFilter(filter: string): ArmError {
  return badRequest('InvalidFilterInQueryString', `Invalid $filter '${filter}' specified in the query string.`);
}
