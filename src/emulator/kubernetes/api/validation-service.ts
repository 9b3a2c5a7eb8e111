import type { ConfigMap, Secret } from '../objects/cluster.js';
import type { Service } from '../objects/service.js';
import { sameJson } from './json.js';
import { cause, type Cause } from './status.js';
import { dataKeyCauses, labelCauses, portCauses } from './validation.js';

const serviceTypes = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];

/** Checks a Service. */
export function serviceCauses(service: Service): Cause[] {
  const { ports, type, selector } = service.spec;
  const causes = labelCauses(selector, 'spec.selector');
  if (!serviceTypes.includes(type)) causes.push(cause.notSupported('spec.type', type, serviceTypes));
  if (ports.length === 0 && service.spec.clusterIP !== 'None') causes.push(cause.required('spec.ports'));
  const names = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const field = `spec.ports[${index}]`;
    causes.push(...portCauses(port.port, `${field}.port`));
    if (typeof port.targetPort === 'number') causes.push(...portCauses(port.targetPort, `${field}.targetPort`));
    if (ports.length > 1 && (port.name === undefined || port.name === '')) causes.push(cause.required(`${field}.name`));
    else if (port.name !== undefined && names.has(port.name)) causes.push(cause.duplicate(`${field}.name`, port.name));
    if (port.name !== undefined) names.add(port.name);
  }
  return causes;
}

/** The address of a Service never changes. */
export function serviceUpdateCauses(next: Service, previous: Service): Cause[] {
  if (next.spec.clusterIP === previous.spec.clusterIP) return [];
  return [cause.invalid('spec.clusterIP', next.spec.clusterIP, 'field is immutable')];
}

/** Fills the defaults of a Service that depend on other fields. Its addresses are given at creation. */
export function setServiceDefaults(service: Service): void {
  for (const port of service.spec.ports) port.targetPort ??= port.port;
}

/** A Service keeps the addresses it was given where a replace leaves them out. */
export function keepServiceAddresses(next: Service, previous: Service): void {
  const { clusterIP, clusterIPs } = previous.spec;
  if (next.spec.clusterIP === undefined || next.spec.clusterIP === '') {
    if (clusterIP !== undefined) next.spec.clusterIP = clusterIP;
    if (clusterIPs !== undefined) next.spec.clusterIPs = clusterIPs;
  }
  for (const port of next.spec.ports) {
    const before = previous.spec.ports.find((candidate) => candidate.port === port.port);
    if (before?.nodePort !== undefined && next.spec.type !== 'ClusterIP') port.nodePort ??= before.nodePort;
  }
}

/** Checks a Secret: the keys that its type requires. */
export function secretCauses(secret: Secret): Cause[] {
  const required: Readonly<Record<string, string[]>> = {
    'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
    'kubernetes.io/tls': ['tls.crt', 'tls.key'],
  };
  const missing = (required[secret.type] ?? []).filter((key) => secret.data?.[key] === undefined);
  return [...dataKeyCauses(secret.data, 'data'), ...missing.map((key) => cause.required(`data[${key}]`))];
}

/** A Secret's type never changes, nor does the content of an immutable one. */
export function secretUpdateCauses(next: Secret, previous: Secret): Cause[] {
  const causes = immutableCauses(next, previous);
  if (next.type !== previous.type) causes.push(cause.invalid('type', next.type, 'field is immutable'));
  return causes;
}

/** The content of an immutable ConfigMap or Secret never changes. */
export function immutableCauses(next: ConfigMap | Secret, previous: ConfigMap | Secret): Cause[] {
  if (previous.immutable !== true) return [];
  const same =
    next.immutable === true && sameJson(next.data, previous.data) && sameJson(next.binaryData, previous.binaryData);
  return same ? [] : [cause.invalid('data', '', 'field is immutable when `immutable` is set')];
}
