import type { Container, PodSpec, PodTemplate } from '../objects/pod.js';
import { parseQuantity } from '../objects/quantity.js';
import { cause, type Cause } from './status.js';
import { dnsLabelCauses, labelCauses, portCauses } from './validation.js';

function resourceCauses(container: Container, field: string): Cause[] {
  const { requests = {}, limits = {} } = container.resources;
  const causes: Cause[] = [];
  for (const [list, quantities] of Object.entries({ requests, limits })) {
    for (const [name, quantity] of Object.entries(quantities)) {
      const amount = parseQuantity(quantity);
      const path = `${field}.${list}[${name}]`;
      if (amount === undefined)
        causes.push(cause.invalid(path, quantity, 'quantities must match the regular expression'));
      else if (amount < 0) causes.push(cause.invalid(path, quantity, 'must be greater than or equal to 0'));
    }
  }
  for (const [name, request] of Object.entries(requests)) {
    const limit = limits[name];
    if (limit !== undefined && (parseQuantity(request) ?? 0) > (parseQuantity(limit) ?? Infinity)) {
      causes.push(
        cause.invalid(`${field}.requests`, request, `must be less than or equal to ${name} limit of ${limit}`),
      );
    }
  }
  return causes;
}

function probeCauses(container: Container, field: string): Cause[] {
  return (['livenessProbe', 'readinessProbe', 'startupProbe'] as const).flatMap((name) => {
    const probe = container[name];
    if (probe === undefined) return [];
    const handlers = [probe.httpGet, probe.tcpSocket, probe.exec, probe.grpc].filter(
      (handler) => handler !== undefined,
    );
    if (handlers.length === 0) return [cause.required(`${field}.${name}`, 'must specify a handler type')];
    if (name !== 'readinessProbe' && probe.successThreshold !== 1) {
      return [cause.invalid(`${field}.${name}.successThreshold`, probe.successThreshold, 'must be 1')];
    }
    return [];
  });
}

function containerCauses(container: Container, field: string, volumes: ReadonlySet<string>): Cause[] {
  const causes = dnsLabelCauses(container.name, `${field}.name`);
  if (container.image === '') causes.push(cause.required(`${field}.image`));
  for (const [index, port] of (container.ports ?? []).entries()) {
    causes.push(...portCauses(port.containerPort, `${field}.ports[${index}].containerPort`));
  }
  for (const [index, variable] of (container.env ?? []).entries()) {
    if (variable.name === '') causes.push(cause.required(`${field}.env[${index}].name`));
    if (variable.value !== undefined && variable.value !== '' && variable.valueFrom !== undefined) {
      causes.push(
        cause.invalid(`${field}.env[${index}].valueFrom`, '', 'may not be specified when `value` is not empty'),
      );
    }
  }
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    if (!volumes.has(mount.name)) causes.push(cause.notFound(`${field}.volumeMounts[${index}].name`, mount.name));
    if (mount.mountPath === '') causes.push(cause.required(`${field}.volumeMounts[${index}].mountPath`));
  }
  return [...causes, ...resourceCauses(container, `${field}.resources`), ...probeCauses(container, field)];
}

/** Checks a pod's spec at `field`. */
export function podSpecCauses(spec: PodSpec, field: string): Cause[] {
  const causes: Cause[] = [];
  if (spec.containers.length === 0) causes.push(cause.required(`${field}.containers`));
  if (spec.terminationGracePeriodSeconds < 0) {
    const value = spec.terminationGracePeriodSeconds;
    causes.push(cause.invalid(`${field}.terminationGracePeriodSeconds`, value, 'must be greater than or equal to 0'));
  }
  if (Array.isArray(spec.initContainers) && spec.initContainers.length > 0) {
    // Better refused than left out: a pod that runs without them would be wrong in silence.
    causes.push(cause.notSupported(`${field}.initContainers`, 'initContainers', ['containers']));
  }
  const volumes = new Set((spec.volumes ?? []).map((volume) => volume.name));
  for (const [index, volume] of (spec.volumes ?? []).entries()) {
    const path = `${field}.volumes[${index}]`;
    causes.push(...dnsLabelCauses(volume.name, `${path}.name`));
    if (volume.secret === undefined && volume.configMap === undefined && volume.emptyDir === undefined) {
      causes.push(cause.notSupported(path, volume.name, ['secret', 'configMap', 'emptyDir']));
    }
  }
  const names = new Set<string>();
  for (const [index, container] of spec.containers.entries()) {
    const path = `${field}.containers[${index}]`;
    causes.push(...containerCauses(container, path, volumes));
    if (names.has(container.name)) causes.push(cause.duplicate(`${path}.name`, container.name));
    names.add(container.name);
  }
  return causes;
}

/** Checks the template of a workload's pods. */
export function podTemplateCauses(template: PodTemplate): Cause[] {
  return [
    ...labelCauses(template.metadata.labels, 'spec.template.metadata.labels'),
    ...podSpecCauses(template.spec, 'spec.template.spec'),
    ...(template.spec.restartPolicy === 'Always'
      ? []
      : [cause.notSupported('spec.template.spec.restartPolicy', template.spec.restartPolicy, ['Always'])]),
  ];
}

/** Fills the defaults of a pod's spec that depend on other fields: pull policy by tag, requests from limits. */
export function setPodDefaults(spec: PodSpec): void {
  for (const container of spec.containers) {
    container.imagePullPolicy ??= hasMovingTag(container.image) ? 'Always' : 'IfNotPresent';
    const { limits } = container.resources;
    if (limits !== undefined) container.resources.requests = { ...limits, ...container.resources.requests };
  }
}

function hasMovingTag(image: string): boolean {
  if (image.includes('@')) return false;
  const tag = /:([^/:]+)$/.exec(image)?.[1];
  return tag === undefined || tag === 'latest';
}
