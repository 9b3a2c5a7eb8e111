import type { ConfigMap, Event, Namespace, Node, Secret } from '../objects/cluster.js';
import type { KubeObject, LabelSelector } from '../objects/metadata.js';
import type { Pod, PodSpec } from '../objects/pod.js';
import type { Endpoints, EndpointSlice, Service } from '../objects/service.js';
import type { Deployment, ReplicaSet } from '../objects/workload.js';
import { ageOf, type Column } from './table.js';

// What kubectl shows of each kind; the printers of Kubernetes (pkg/printers/internalversion) decide.

const NONE = '<none>';
const name: Column<KubeObject> = { name: 'Name', cell: ({ metadata }) => metadata.name };
const age: Column<KubeObject> = { name: 'Age', cell: ({ metadata }, now) => ageOf(metadata.creationTimestamp, now) };

/** Of kinds that have no others. */
export const defaultColumns = [name, age];

const joined = (items: readonly (string | number)[], most = Infinity): string => {
  const shown = items.slice(0, most).join(',');
  if (items.length > most) return `${shown} + ${items.length - most} more...`;
  return shown === '' ? NONE : shown;
};
const selector = (labels: Record<string, string> | undefined): string =>
  joined(Object.entries(labels ?? {}).map((pair) => pair.join('=')));

/** Columns of what makes pods from a template. */
function templateColumns<
  T extends KubeObject & { spec: { selector: LabelSelector; template: { spec: PodSpec } } },
>(): Column<T>[] {
  return [
    {
      name: 'Containers',
      priority: 1,
      cell: ({ spec }) => joined(spec.template.spec.containers.map((one) => one.name)),
    },
    { name: 'Images', priority: 1, cell: ({ spec }) => joined(spec.template.spec.containers.map((one) => one.image)) },
    { name: 'Selector', priority: 1, cell: ({ spec }) => selector(spec.selector.matchLabels) },
  ];
}

const statusesOf = ({ status }: Pod) => status.containerStatuses ?? [];

/** One word for how a pod is: that of the first container which has one, else the phase. */
function podStatus(pod: Pod): string {
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  if (terminating) return 'Terminating';
  for (const { state } of statusesOf(pod)) {
    const reason = state.waiting?.reason ?? state.terminated?.reason;
    if (reason !== undefined) return reason;
    if (state.terminated) return `ExitCode:${state.terminated.exitCode}`;
  }
  return pod.status.reason ?? pod.status.phase;
}

export const podColumns: readonly Column<Pod>[] = [
  name,
  {
    name: 'Ready',
    cell: (pod) => `${statusesOf(pod).filter(({ ready }) => ready).length}/${pod.spec.containers.length}`,
  },
  { name: 'Status', cell: podStatus },
  { name: 'Restarts', cell: (pod) => String(statusesOf(pod).reduce((sum, { restartCount }) => sum + restartCount, 0)) },
  age,
  { name: 'IP', priority: 1, cell: ({ status }) => status.podIP ?? NONE },
  { name: 'Node', priority: 1, cell: ({ spec }) => spec.nodeName ?? NONE },
];

export const deploymentColumns: readonly Column<Deployment>[] = [
  name,
  { name: 'Ready', cell: ({ spec, status }) => `${status.readyReplicas ?? 0}/${spec.replicas}` },
  { name: 'Up-to-date', type: 'integer', cell: ({ status }) => status.updatedReplicas ?? 0 },
  { name: 'Available', type: 'integer', cell: ({ status }) => status.availableReplicas ?? 0 },
  age,
  ...templateColumns<Deployment>(),
];

export const replicaSetColumns: readonly Column<ReplicaSet>[] = [
  name,
  { name: 'Desired', type: 'integer', cell: ({ spec }) => spec.replicas },
  { name: 'Current', type: 'integer', cell: ({ status }) => status.replicas },
  { name: 'Ready', type: 'integer', cell: ({ status }) => status.readyReplicas ?? 0 },
  age,
  ...templateColumns<ReplicaSet>(),
];

function externalAddress({ spec, status }: Service): string {
  if (spec.type !== 'LoadBalancer') return NONE;
  const addresses = (status.loadBalancer.ingress ?? []).flatMap(({ ip }) => ip ?? []);
  return addresses.length === 0 ? '<pending>' : addresses.join(',');
}

export const serviceColumns: readonly Column<Service>[] = [
  name,
  { name: 'Type', cell: ({ spec }) => spec.type },
  { name: 'Cluster-IP', cell: ({ spec }) => spec.clusterIP ?? NONE },
  { name: 'External-IP', cell: externalAddress },
  {
    name: 'Port(s)',
    cell: ({ spec }) =>
      joined(spec.ports.map(({ port, nodePort, protocol }) => `${port}${nodePort ? `:${nodePort}` : ''}/${protocol}`)),
  },
  age,
  { name: 'Selector', priority: 1, cell: ({ spec }) => selector(spec.selector) },
];

export const endpointsColumns: readonly Column<Endpoints>[] = [
  name,
  {
    name: 'Endpoints',
    cell: ({ subsets = [] }) => {
      const ready = subsets.flatMap(({ addresses = [], ports = [] }) =>
        addresses.flatMap(({ ip }) => ports.map(({ port }) => `${ip}:${port}`)),
      );
      return joined(ready, 3);
    },
  },
  age,
];

export const endpointSliceColumns: readonly Column<EndpointSlice>[] = [
  name,
  { name: 'AddressType', cell: ({ addressType }) => addressType },
  {
    name: 'Ports',
    cell: ({ ports }) =>
      joined(
        ports.map(({ port }) => port),
        3,
      ),
  },
  {
    name: 'Endpoints',
    cell: ({ endpoints }) =>
      joined(
        endpoints.flatMap(({ addresses }) => addresses),
        3,
      ),
  },
  age,
];

export const configMapColumns: readonly Column<ConfigMap>[] = [
  name,
  {
    name: 'Data',
    type: 'integer',
    cell: ({ data, binaryData }) => Object.keys({ ...data, ...binaryData }).length,
  },
  age,
];

export const secretColumns: readonly Column<Secret>[] = [
  name,
  { name: 'Type', cell: ({ type }) => type },
  { name: 'Data', type: 'integer', cell: ({ data }) => Object.keys(data ?? {}).length },
  age,
];

export const namespaceColumns: readonly Column<Namespace>[] = [
  name,
  { name: 'Status', cell: ({ status }) => status.phase },
  age,
];

const isReady = ({ status }: Node) => status.conditions.find(({ type }) => type === 'Ready')?.status === 'True';

export const nodeColumns: readonly Column<Node>[] = [
  name,
  {
    name: 'Status',
    cell: (node) => `${isReady(node) ? '' : 'Not'}Ready${node.spec.unschedulable ? ',SchedulingDisabled' : ''}`,
  },
  { name: 'Roles', cell: () => NONE },
  age,
  { name: 'Version', cell: ({ status }) => status.nodeInfo?.kubeletVersion ?? '' },
  {
    name: 'Internal-IP',
    priority: 1,
    cell: ({ status }) => status.addresses.find(({ type }) => type === 'InternalIP')?.address ?? NONE,
  },
];

export const eventColumns: readonly Column<Event>[] = [
  {
    name: 'Last Seen',
    cell: ({ lastTimestamp, metadata }, now) => ageOf(lastTimestamp ?? metadata.creationTimestamp, now),
  },
  { name: 'Type', cell: ({ type }) => type },
  { name: 'Reason', cell: ({ reason }) => reason ?? '' },
  {
    name: 'Object',
    cell: ({ involvedObject }) => `${(involvedObject.kind ?? '').toLowerCase()}/${involvedObject.name ?? ''}`,
  },
  { name: 'Source', priority: 1, cell: ({ source }) => source.component ?? '' },
  { name: 'Message', cell: ({ message }) => message ?? '' },
  { name: 'Count', priority: 1, type: 'integer', cell: ({ count }) => count ?? 1 },
  { ...name, priority: 1 },
];
