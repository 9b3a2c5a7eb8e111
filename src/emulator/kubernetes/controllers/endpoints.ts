import { Controller, keyOf, splitKey } from './controller.js';
import { controllerReference, isReady } from './ownership.js';
import { matchesSelector } from '../api/selectors.js';
import { endpoints, endpointSlices, pods, services, type Resource } from '../api/resources.js';
import type { ClusterContext } from '../cluster-context.js';
import type { KubeObject } from '../objects/metadata.js';
import type { Pod } from '../objects/pod.js';
import type { Service, ServicePort } from '../objects/service.js';

const serviceNameLabel = 'kubernetes.io/service-name';

/** A pod behind a Service, with the addresses it has there. */
export interface Backend {
  pod: Pod;
  ip: string;
  /** Takes new connections. */
  ready: boolean;
}

/** The pods that a Service selects and that have an address, those that are over left out. */
export function backendsOf(store: ClusterContext['store'], service: Service): Backend[] {
  const { selector, publishNotReadyAddresses } = service.spec;
  if (selector === undefined) return [];
  return store.list(pods, service.metadata.namespace).flatMap((pod) => {
    const { podIP, phase } = pod.status;
    const isOver = phase === 'Succeeded' || phase === 'Failed';
    if (podIP === undefined || isOver || !matchesSelector({ matchLabels: selector }, pod.metadata.labels)) return [];
    const ready = pod.metadata.deletionTimestamp === undefined && isReady(pod);
    return [{ pod, ip: podIP, ready: ready || publishNotReadyAddresses === true }];
  });
}

/** The number of the port that a Service's port leads to in a pod; undefined where the pod has none of that name. */
export function targetPort(pod: Pod, { targetPort: target, port }: ServicePort): number | undefined {
  if (target === undefined) return port;
  if (typeof target === 'number') return target;
  const named = pod.spec.containers.flatMap((container) => container.ports ?? []).find(({ name }) => name === target);
  return named?.containerPort;
}

/** Keeps Endpoints and EndpointSlice of each Service in step with its pods. */
export function startEndpointsController(context: ClusterContext): Controller {
  const { store, registry } = context;

  function reconcile(key: string): void {
    const { namespace, name } = splitKey(key);
    const service = store.get(services, namespace, name);
    if (service === undefined) {
      remove(endpoints, namespace, name);
      for (const slice of store.list(endpointSlices, namespace)) {
        if (slice.metadata.labels?.[serviceNameLabel] === name) remove(endpointSlices, namespace, slice.metadata.name);
      }
      return;
    }
    if (service.spec.selector === undefined) return;
    const backends = backendsOf(store, service);
    write(endpoints, service, describeEndpoints(service, backends));
    write(endpointSlices, service, describeSlice(service, backends));
  }

  function remove(resource: Resource, namespace: string, name: string): void {
    if (store.get(resource, namespace, name) !== undefined) registry.delete(resource, namespace, name);
  }

  function write(resource: Resource, service: Service, content: Record<string, unknown>): void {
    const { name, namespace = '' } = service.metadata;
    const body = {
      ...content,
      metadata: {
        name,
        namespace,
        labels: { ...service.metadata.labels, [serviceNameLabel]: name },
        ownerReferences: [controllerReference(services, service)],
      },
    };
    if (store.get(resource, namespace, name) !== undefined) registry.replace(resource, namespace, name, body);
    else if (registry.accepts(namespace)) registry.create(resource, namespace, body);
  }

  const servicesOf = (namespace: string | undefined) => store.list(services, namespace).map(keyOf);
  return new Controller(context, {
    name: 'endpoints',
    all: () => servicesOf(undefined),
    concernedBy: ({ resource, object }) => {
      if (resource === services) return [keyOf(object)];
      return resource === pods ? servicesOf(object.metadata.namespace) : [];
    },
    reconcile,
  });
}

function targetRef({ kind, metadata }: KubeObject) {
  return { kind, name: metadata.name, namespace: metadata.namespace ?? '', uid: metadata.uid };
}

/** Ports as a backend sees them. Named target ports are taken from the first pod that has them. */
function describePorts(service: Service, backends: Backend[]) {
  return service.spec.ports.flatMap((port) => {
    const numbers = backends.map(({ pod }) => targetPort(pod, port)).filter((number) => number !== undefined);
    const [number = typeof port.targetPort === 'number' ? port.targetPort : undefined] = numbers;
    return number === undefined ? [] : [{ name: port.name ?? '', port: number, protocol: port.protocol }];
  });
}

function describeEndpoints(service: Service, backends: Backend[]) {
  const address = ({ pod, ip }: Backend) => ({ ip, nodeName: pod.spec.nodeName, targetRef: targetRef(pod) });
  const ready = backends.filter((backend) => backend.ready).map(address);
  const notReady = backends.filter((backend) => !backend.ready).map(address);
  const ports = describePorts(service, backends).map(({ name, ...port }) => (name === '' ? port : { name, ...port }));
  const subset = {
    ...(ready.length > 0 ? { addresses: ready } : {}),
    ...(notReady.length > 0 ? { notReadyAddresses: notReady } : {}),
    ports,
  };
  return { apiVersion: 'v1', kind: 'Endpoints', ...(backends.length > 0 ? { subsets: [subset] } : {}) };
}

function describeSlice(service: Service, backends: Backend[]) {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    addressType: 'IPv4',
    endpoints: backends.map(({ pod, ip, ready }) => {
      const terminating = pod.metadata.deletionTimestamp !== undefined;
      const conditions = { ready, serving: isReady(pod), terminating };
      return { addresses: [ip], conditions, nodeName: pod.spec.nodeName, targetRef: targetRef(pod) };
    }),
    ports: describePorts(service, backends),
  };
}
