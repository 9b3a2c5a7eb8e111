import { apiVersionOf, type Resource } from './resources.js';

/** Path of a group and version: `api/v1`, or such as `apis/apps/v1`. */
export function groupPath(resource: Resource): string {
  return `${resource.group === '' ? 'api' : 'apis'}/${apiVersionOf(resource)}`;
}

/** Path of an object in the API. */
export function objectPath(resource: Resource, namespace: string | undefined, name: string): string {
  return `/${groupPath(resource)}${namespace === undefined ? '' : `/namespaces/${namespace}`}/${resource.plural}/${name}`;
}
