import { isJsonObject, sameJson, type Json, type JsonObject } from './json.js';
import { badRequest } from './status.js';

/** Lists that merge, by field name: the key that identifies an item. From the `patchMergeKey` marks of the API's types. */
const mergeKeys: Readonly<Record<string, string>> = {
  containers: 'name',
  initContainers: 'name',
  env: 'name',
  volumes: 'name',
  volumeMounts: 'mountPath',
  imagePullSecrets: 'name',
  conditions: 'type',
  ownerReferences: 'uid',
  hostAliases: 'ip',
};

/** Lists of plain values that merge as sets. */
const sets = new Set(['finalizers']);

/** The field that tells the items of a list at that path apart; undefined for a list that is replaced as a whole. */
export function mergeKeyOf(path: readonly string[]): string | undefined {
  const field = path.at(-1);
  if (field === undefined) return undefined;
  if (field === 'ports') return path.includes('containers') ? 'containerPort' : 'port';
  return mergeKeys[field];
}

function mergeList(target: Json[], patch: Json[], key: string, path: readonly string[]): Json[] {
  if (patch.some((item) => isJsonObject(item) && item.$patch === 'replace')) {
    return patch.filter((item) => !isJsonObject(item) || item.$patch === undefined);
  }
  const result = [...target];
  for (const item of patch) {
    if (!isJsonObject(item)) throw badRequest(`${path.join('.')}: items must be objects with the key ${key}`);
    const { $patch: directive, ...content } = item;
    if (content[key] === undefined)
      throw badRequest(`${path.join('.')}: map does not contain declared merge key: ${key}`);
    const index = result.findIndex((present) => isJsonObject(present) && sameJson(present[key], content[key]));
    if (directive === 'delete') {
      if (index >= 0) result.splice(index, 1);
    } else if (index >= 0) result[index] = strategicMerge(result[index], content, path);
    else result.push(strategicMerge({}, content, path));
  }
  return result;
}

/**
 * Kubernetes' strategic merge: as a merge patch, but lists whose items have an identity merge by it.
 * Understands the directives `$patch: delete | replace` and `$deleteFromPrimitiveList/`; `$setElementOrder/` and
 * `$retainKeys` only order or prune and are left out.
 */
export function strategicMerge(target: Json | undefined, patch: Json, path: readonly string[] = []): Json {
  if (!isJsonObject(patch)) return patch;
  const { $patch: directive, ...content } = patch;
  if (directive === 'replace') return content;
  const result: JsonObject = isJsonObject(target) ? { ...target } : {};
  for (const [field, value] of Object.entries(content)) {
    if (field.startsWith('$deleteFromPrimitiveList/')) {
      const list = field.slice('$deleteFromPrimitiveList/'.length);
      const present = result[list];
      if (Array.isArray(present) && Array.isArray(value))
        result[list] = present.filter((item) => !value.includes(item));
      continue;
    }
    if (field.startsWith('$')) continue;
    const present = result[field];
    const key = mergeKeyOf([...path, field]);
    if (value === null) delete result[field];
    else if (isJsonObject(value) && value.$patch === 'delete') delete result[field];
    else if (Array.isArray(value) && key !== undefined) {
      result[field] = mergeList(Array.isArray(present) ? present : [], value, key, [...path, field]);
    } else if (Array.isArray(value) && sets.has(field)) {
      const known = Array.isArray(present) ? present : [];
      result[field] = [...known, ...value.filter((item) => !known.includes(item))];
    } else result[field] = strategicMerge(present, value, [...path, field]);
  }
  return result;
}
