import { kubernetesVersion } from '../limits.js';
import { fieldsOf, itemType, typeOf, type Field } from './api-types.js';
import { objectPath } from './object-path.js';
import type { Resource } from './resources.js';
import { mergeKeyOf } from './strategic-merge.js';

type Schema = Record<string, unknown>;

const PRIMITIVES: Readonly<Record<string, Schema>> = {
  string: { type: 'string' },
  number: { type: 'number' },
  boolean: { type: 'boolean' },
  Date: { type: 'string', format: 'date-time' },
  V1MicroTime: { type: 'string', format: 'date-time' },
  IntOrString: { 'x-kubernetes-int-or-string': true, oneOf: [{ type: 'integer' }, { type: 'string' }] },
  any: {},
  object: { type: 'object' },
};

/**
 * The OpenAPI 3 document of a group and version: the objects, and of the calls what clients look for in it, which is the
 * parameters that they may send. https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-v3
 */
export function openApiDocument(resources: readonly Resource[]): Record<string, unknown> {
  const schemas: Record<string, Schema> = {};
  for (const resource of resources) describeType(typeOf(resource), schemas, groupVersionKind(resource));
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: `v${kubernetesVersion}` },
    paths: Object.fromEntries(resources.flatMap(pathsOf)),
    components: { schemas },
  };
}

function groupVersionKind({ group, version, kind }: Resource): Schema {
  return { group, version, kind };
}

function pathsOf(resource: Resource): [string, Schema][] {
  const item = objectPath(resource, resource.namespaced ? '{namespace}' : undefined, '{name}');
  const operation = (action: string) => ({
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': groupVersionKind(resource),
    parameters: ['dryRun', 'fieldValidation'].map((name) => ({ name, in: 'query', schema: { type: 'string' } })),
    responses: { 200: { description: 'OK', content: { 'application/json': { schema: reference(typeOf(resource)) } } } },
  });
  return [
    [item.slice(0, item.lastIndexOf('/')), { post: operation('post') }],
    [item, { put: operation('put'), patch: operation('patch') }],
  ];
}

/** Adds the schema of a type, and those of all that it refers to. */
function describeType(type: string, schemas: Record<string, Schema>, gvk?: Schema): void {
  const fields = fieldsOf(type);
  if (fields === undefined || schemas[type] !== undefined) return;
  const marks = gvk === undefined ? {} : { 'x-kubernetes-group-version-kind': [gvk] };
  const properties = Object.fromEntries(fields.map((field) => [field.name, describeField(type, field)]));
  schemas[type] = { type: 'object', properties, ...marks };
  for (const field of fields) describeType(innermost(field.type), schemas);
}

function describeField(owner: string, { name, type, format }: Field): Schema {
  const key = mergeKeyOf([...(owner === 'V1Container' ? ['containers'] : []), name]);
  return {
    ...schemaOf(type),
    ...(format === '' || type !== 'number' ? {} : { type: 'integer', format }),
    ...(key === undefined || itemType(type)?.container !== 'list'
      ? {}
      : { 'x-kubernetes-patch-merge-key': key, 'x-kubernetes-patch-strategy': 'merge' }),
  };
}

function schemaOf(type: string): Schema {
  const items = itemType(type);
  if (items?.container === 'list') return { type: 'array', items: schemaOf(items.item) };
  if (items?.container === 'map') return { type: 'object', additionalProperties: schemaOf(items.item) };
  return PRIMITIVES[type] ?? reference(type);
}

function innermost(type: string): string {
  const items = itemType(type);
  return items === undefined ? type : innermost(items.item);
}

function reference(type: string): Schema {
  return { $ref: `#/components/schemas/${type}` };
}
