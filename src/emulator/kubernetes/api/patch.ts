import { isJsonObject, sameJson, type Json, type JsonObject } from './json.js';
import { ApiError, badRequest } from './status.js';
import { strategicMerge } from './strategic-merge.js';

/** RFC 7396: null removes, objects merge, everything else replaces. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isJsonObject(patch)) return patch;
  const result: JsonObject = isJsonObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

function pointerSteps(pointer: unknown): string[] {
  if (typeof pointer !== 'string' || (pointer !== '' && !pointer.startsWith('/'))) {
    throw badRequest(`invalid JSON pointer: ${JSON.stringify(pointer)}`);
  }
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function patchFailed(message: string): ApiError {
  return new ApiError(422, 'Invalid', `the server rejected our request due to an error in our request: ${message}`);
}

function child(node: Json | undefined, step: string): Json | undefined {
  if (Array.isArray(node)) return node[Number(step)];
  return isJsonObject(node) && Object.hasOwn(node, step) ? node[step] : undefined;
}

function read(document: Json, steps: string[]): Json {
  let node: Json | undefined = document;
  for (const step of steps) node = child(node, step);
  if (node === undefined) throw patchFailed(`path /${steps.join('/')} does not exist`);
  return node;
}

/** Puts a value at the place that the steps name (undefined removes it), in place. */
function write(document: Json, steps: string[], value: Json | undefined, insert: boolean): void {
  const last = steps.at(-1);
  if (last === undefined) throw patchFailed('the whole document cannot be replaced');
  const parent = read(document, steps.slice(0, -1));
  if (Array.isArray(parent)) {
    const index = last === '-' ? parent.length : Number(last);
    if (!Number.isInteger(index) || index < 0 || index > parent.length)
      throw patchFailed(`index ${last} is out of range`);
    if (value === undefined) parent.splice(index, 1);
    else parent.splice(index, insert ? 0 : 1, value);
  } else if (isJsonObject(parent)) {
    if (value === undefined) delete parent[last];
    else parent[last] = value;
  } else throw patchFailed(`path /${steps.join('/')} does not exist`);
}

/** RFC 6902, all or nothing. */
export function jsonPatch(target: Json, operations: Json): Json {
  if (!Array.isArray(operations)) throw badRequest('a JSON patch is an array of operations');
  const document = structuredClone(target);
  for (const operation of operations) {
    if (!isJsonObject(operation)) throw badRequest('a JSON patch is an array of operations');
    const steps = pointerSteps(operation.path);
    const value = operation.value ?? null;
    switch (operation.op) {
      case 'test':
        if (!sameJson(read(document, steps), value))
          throw patchFailed(`test of ${JSON.stringify(operation.path)} failed`);
        break;
      case 'add':
        write(document, steps, value, true);
        break;
      case 'replace':
        read(document, steps);
        write(document, steps, value, false);
        break;
      case 'remove':
        read(document, steps);
        write(document, steps, undefined, false);
        break;
      case 'copy':
      case 'move': {
        const from = pointerSteps(operation.from);
        const moved = structuredClone(read(document, from));
        if (operation.op === 'move') write(document, from, undefined, false);
        write(document, steps, moved, true);
        break;
      }
      default:
        throw badRequest(`unknown JSON patch operation ${JSON.stringify(operation.op)}`);
    }
  }
  return document;
}

/**
 * Applies a patch of one of the API's media types.
 * @throws ApiError 415 for another media type, 400 or 422 for a patch that cannot be applied.
 */
export function applyPatch(mediaType: string, target: JsonObject, patch: Json): Json {
  switch (mediaType) {
    case 'application/json-patch+json':
      return jsonPatch(target, patch);
    case 'application/merge-patch+json':
      return mergePatch(target, patch);
    case 'application/strategic-merge-patch+json':
      return strategicMerge(target, patch);
    default:
      throw new ApiError(
        415,
        'UnsupportedMediaType',
        `the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json`,
      );
  }
}
