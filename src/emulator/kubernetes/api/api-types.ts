import * as client from '@kubernetes/client-node';
import { isJsonObject, type Json } from './json.js';
import type { Resource } from './resources.js';

/** A field of one of the API's types. */
export interface Field {
  name: string;
  /** `string`, `number`, `boolean`, `any`, `Date`, the name of a type, or `Array<…>` or `{ [key: string]: …; }` of one. */
  type: string;
  /** As in OpenAPI: `int32`, `byte`; empty for none. */
  format: string;
}

/** What the generated types of the official client say about themselves at run time. */
interface TypeMap {
  getAttributeTypeMap(): { baseName: string; type: string; format: string }[];
}

/** The name of a resource's type in the official client. */
export function typeOf({ kind }: Resource): string {
  return kind === 'Event' ? 'CoreV1Event' : `V1${kind}`;
}

/** The fields of one of the API's types, from the official client; undefined for what is no object type. */
export function fieldsOf(type: string): Field[] | undefined {
  // The client's exports are of many kinds; those that describe themselves are its types.
  const found = (client as Record<string, unknown>)[type] as Partial<TypeMap> | undefined;
  return found?.getAttributeTypeMap?.().map(({ baseName, type, format }) => ({ name: baseName, type, format }));
}

/** The type of the items of a list, or of the values of a map. */
export function itemType(type: string): { container: 'list' | 'map'; item: string } | undefined {
  const [, list, map] = /^Array<(.+)>$|^\{ \[key: string\]: (.+); \}$/.exec(type) ?? [];
  if (list !== undefined) return { container: 'list', item: list };
  return map === undefined ? undefined : { container: 'map', item: map };
}

/** The paths in `value` that its type does not have, such as `spec.replcas`. Directives of patches are no fields. */
export function unknownFields(type: string, value: Json | undefined, path = ''): string[] {
  const items = itemType(type);
  if (items !== undefined) return membersOf(value).flatMap(([at, item]) => unknownFields(items.item, item, path + at));
  const fields = fieldsOf(type);
  if (fields === undefined || !isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const at = path === '' ? name : `${path}.${name}`;
    if (name.startsWith('$')) return [];
    const field = fields.find((known) => known.name === name);
    return field === undefined ? [at] : unknownFields(field.type, member, at);
  });
}

function membersOf(value: Json | undefined): [string, Json][] {
  if (Array.isArray(value)) return value.map((item, index) => [`[${index}]`, item]);
  return isJsonObject(value) ? Object.entries(value).map(([name, member]) => [`.${name}`, member]) : [];
}
