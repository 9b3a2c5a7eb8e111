import type { z } from 'zod';
import {
  configMapSchema,
  eventSchema,
  namespaceSchema,
  nodeSchema,
  secretSchema,
  type ConfigMap,
  type Event,
  type Namespace,
  type Node,
  type Secret,
} from '../objects/cluster.js';
import type { KubeObject } from '../objects/metadata.js';
import { podSchema, type Pod } from '../objects/pod.js';
import {
  endpointSliceSchema,
  endpointsSchema,
  serviceSchema,
  type Endpoints,
  type EndpointSlice,
  type Service,
} from '../objects/service.js';
import { deploymentSchema, replicaSetSchema, type Deployment, type ReplicaSet } from '../objects/workload.js';
import {
  configMapColumns,
  defaultColumns,
  deploymentColumns,
  endpointsColumns,
  endpointSliceColumns,
  eventColumns,
  namespaceColumns,
  nodeColumns,
  podColumns,
  replicaSetColumns,
  secretColumns,
  serviceColumns,
} from './columns.js';
import { allocateServiceAddresses } from './service-addresses.js';
import type { Cause } from './status.js';
import type { Column } from './table.js';
import { dataKeyCauses, type NameRule } from './validation.js';
import { podSpecCauses, setPodDefaults } from './validation-pod.js';
import {
  immutableCauses,
  keepServiceAddresses,
  secretCauses,
  secretUpdateCauses,
  serviceCauses,
  serviceUpdateCauses,
  setServiceDefaults,
} from './validation-service.js';
import {
  deploymentCauses,
  selectorUpdateCauses,
  setDeploymentDefaults,
  setWorkloadDefaults,
  workloadCauses,
} from './validation-workload.js';

/** A resource of the API: where it is, what its objects look like, and the rules they keep. */
export interface Resource<T extends KubeObject = KubeObject> {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly shortNames: readonly string[];
  readonly namespaced: boolean;
  readonly subresources: readonly Subresource[];
  /** Form and plain defaults of an object. A violation is 400. */
  readonly schema: z.ZodType<T>;
  readonly nameRule: NameRule;
  /** Paths that field selectors may name beside name and namespace. */
  readonly selectableFields: readonly string[];
  /** Whether a delete answers with the object; others answer with a Status once it is gone. */
  readonly answersDeleted: boolean;
  /** Whether `metadata.generation` counts the changes of the spec. */
  readonly hasGeneration: boolean;
  /** Defaults that depend on other fields. */
  setDefaults?(object: T): void;
  /** Keeps what the server gave an object where a write leaves it out. */
  inherit?(next: T, previous: T): void;
  /** Gives an object what only the server can give it. */
  allocate?(object: T, existing: readonly T[]): void;
  /** What a client shows of an object. */
  readonly columns: readonly Column<T>[];
  /** Names for several resources together: `all` is what people ask for. */
  readonly categories: readonly string[];
  /** Broken rules; answered with 422. */
  causes?(object: T): Cause[];
  updateCauses?(next: T, previous: T): Cause[];
}

export type Subresource = 'status' | 'scale' | 'log' | 'portforward';

type Definition<T extends KubeObject> = Pick<Resource<T>, 'kind' | 'plural' | 'schema'> & Partial<Resource<T>>;

function define<T extends KubeObject>(definition: Definition<T>): Resource<T> {
  return {
    group: '',
    version: 'v1',
    singular: definition.kind.toLowerCase(),
    shortNames: [],
    namespaced: true,
    subresources: [],
    nameRule: 'subdomain',
    selectableFields: [],
    answersDeleted: false,
    hasGeneration: false,
    columns: defaultColumns,
    categories: [],
    ...definition,
  };
}

export const pods = define<Pod>({
  kind: 'Pod',
  answersDeleted: true,
  plural: 'pods',
  shortNames: ['po'],
  subresources: ['status', 'log', 'portforward'],
  schema: podSchema,
  selectableFields: ['spec.nodeName', 'spec.restartPolicy', 'status.phase', 'status.podIP'],
  setDefaults: (pod) => setPodDefaults(pod.spec),
  causes: (pod) => podSpecCauses(pod.spec, 'spec'),
  columns: podColumns,
  categories: ['all'],
});

export const services = define<Service>({
  kind: 'Service',
  answersDeleted: true,
  plural: 'services',
  shortNames: ['svc'],
  subresources: ['status'],
  schema: serviceSchema,
  nameRule: 'label1035',
  selectableFields: ['spec.type', 'spec.clusterIP'],
  setDefaults: setServiceDefaults,
  inherit: keepServiceAddresses,
  allocate: allocateServiceAddresses,
  causes: serviceCauses,
  updateCauses: serviceUpdateCauses,
  columns: serviceColumns,
  categories: ['all'],
});

export const secrets = define<Secret>({
  kind: 'Secret',
  plural: 'secrets',
  schema: secretSchema,
  selectableFields: ['type'],
  causes: secretCauses,
  updateCauses: secretUpdateCauses,
  columns: secretColumns,
});

export const configMaps = define<ConfigMap>({
  kind: 'ConfigMap',
  plural: 'configmaps',
  shortNames: ['cm'],
  schema: configMapSchema,
  causes: ({ data, binaryData }) => [...dataKeyCauses(data, 'data'), ...dataKeyCauses(binaryData, 'binaryData')],
  updateCauses: immutableCauses,
  columns: configMapColumns,
});

export const endpoints = define<Endpoints>({
  kind: 'Endpoints',
  plural: 'endpoints',
  shortNames: ['ep'],
  schema: endpointsSchema,
  columns: endpointsColumns,
});

export const events = define<Event>({
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  schema: eventSchema,
  selectableFields: [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'reason',
    'source',
    'type',
  ],
  columns: eventColumns,
});

export const namespaces = define<Namespace>({
  kind: 'Namespace',
  plural: 'namespaces',
  shortNames: ['ns'],
  namespaced: false,
  subresources: ['status'],
  schema: namespaceSchema,
  nameRule: 'label',
  selectableFields: ['status.phase'],
  columns: namespaceColumns,
});

export const nodes = define<Node>({
  kind: 'Node',
  plural: 'nodes',
  shortNames: ['no'],
  namespaced: false,
  subresources: ['status'],
  schema: nodeSchema,
  columns: nodeColumns,
});

export const deployments = define<Deployment>({
  group: 'apps',
  kind: 'Deployment',
  plural: 'deployments',
  shortNames: ['deploy'],
  subresources: ['status', 'scale'],
  schema: deploymentSchema,
  hasGeneration: true,
  setDefaults: setDeploymentDefaults,
  causes: deploymentCauses,
  updateCauses: selectorUpdateCauses,
  columns: deploymentColumns,
  categories: ['all'],
});

export const replicaSets = define<ReplicaSet>({
  group: 'apps',
  kind: 'ReplicaSet',
  plural: 'replicasets',
  shortNames: ['rs'],
  subresources: ['status', 'scale'],
  schema: replicaSetSchema,
  hasGeneration: true,
  selectableFields: ['status.replicas'],
  setDefaults: setWorkloadDefaults,
  causes: workloadCauses,
  updateCauses: selectorUpdateCauses,
  columns: replicaSetColumns,
  categories: ['all'],
});

export const endpointSlices = define<EndpointSlice>({
  group: 'discovery.k8s.io',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  schema: endpointSliceSchema,
  columns: endpointSliceColumns,
});

/** Every resource that the API serves. */
export const resources: readonly Resource[] = [
  namespaces,
  nodes,
  pods,
  services,
  endpoints,
  secrets,
  configMaps,
  events,
  deployments,
  replicaSets,
  endpointSlices,
];

/** `v1`, or such as `apps/v1`. */
export function apiVersionOf(resource: Resource): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

/** The resource whose objects have that kind, if the API serves it. */
export function resourceOfKind(apiVersion: string, kind: string): Resource | undefined {
  return resources.find((resource) => resource.kind === kind && apiVersionOf(resource) === apiVersion);
}
