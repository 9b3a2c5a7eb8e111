import { configMaps, secrets } from '../api/resources.js';
import type { ObjectStore } from '../api/store.js';
import type { Container, EnvVar, Pod } from '../objects/pod.js';
import type { ImageConfig } from './image-store.js';

/** A container that cannot be made because of what its pod refers to; the kubelet's `CreateContainerConfigError`. */
export class ContainerConfigError extends Error {
  override readonly name = 'ContainerConfigError';
}

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Address of the API server as pods are told it; inside this emulator nothing answers there. */
const apiServerAddress = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' };

/** Replaces `$(NAME)` by values that are known; `$$(NAME)` stays as `$(NAME)`. */
function expand(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\$\$|\$\(([\w.-]+)\)/g, (whole, name: string | undefined) => {
    if (name === undefined) return '$';
    return values[name] ?? whole;
  });
}

function fieldOf(pod: Pod, podIP: string, path: string): string {
  const { metadata, spec } = pod;
  const [, map, key] = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path) ?? [];
  if (key !== undefined) return (map === 'labels' ? metadata.labels : metadata.annotations)?.[key] ?? '';
  const fields: Readonly<Record<string, string | undefined>> = {
    'metadata.name': metadata.name,
    'metadata.namespace': metadata.namespace,
    'metadata.uid': metadata.uid,
    'spec.nodeName': spec.nodeName,
    'status.podIP': podIP,
    'status.hostIP': '127.0.0.1',
  };
  const value = fields[path];
  if (value === undefined) throw new ContainerConfigError(`field path "${path}" is not supported`);
  return value;
}

function valueOf(variable: EnvVar, pod: Pod, podIP: string, store: ObjectStore): string | undefined {
  const { fieldRef, secretKeyRef, configMapKeyRef } = variable.valueFrom ?? {};
  const { namespace } = pod.metadata;
  if (fieldRef !== undefined) return fieldOf(pod, podIP, fieldRef.fieldPath);
  const reference = secretKeyRef ?? configMapKeyRef;
  if (reference === undefined) return variable.value ?? '';
  const kind = secretKeyRef !== undefined ? 'secret' : 'configmap';
  const encoded = secretKeyRef && store.get(secrets, namespace, reference.name)?.data?.[reference.key];
  const value =
    kind === 'secret'
      ? encoded && Buffer.from(encoded, 'base64').toString()
      : store.get(configMaps, namespace, reference.name)?.data?.[reference.key];
  if (value === undefined && reference.optional !== true) {
    throw new ContainerConfigError(`couldn't find key ${reference.key} in ${kind} "${reference.name}"`);
  }
  return value;
}

/**
 * The whole environment of a container: the image's, then the pod's, which wins. `HOST` tells the server which address
 * is its pod's, for pods share the machine's network.
 * @throws ContainerConfigError for a reference that leads nowhere
 */
export function environmentOf(
  pod: Pod,
  container: Container,
  image: ImageConfig,
  podIP: string,
  store: ObjectStore,
): Record<string, string> {
  const fromImage = (image.Env ?? []).map((pair) => [pair.split('=', 1)[0] ?? '', pair.slice(pair.indexOf('=') + 1)]);
  const environment: Record<string, string> = {
    PATH: defaultPath,
    HOME: '/',
    HOSTNAME: pod.metadata.name,
    HOST: podIP,
    ...apiServerAddress,
    ...(Object.fromEntries(fromImage) as Record<string, string>),
  };
  for (const variable of container.env ?? []) {
    const value = valueOf(variable, pod, podIP, store);
    if (value !== undefined) environment[variable.name] = variable.valueFrom ? value : expand(value, environment);
  }
  return environment;
}

/** The command line of a container: the pod's `command` replaces the image's entrypoint and its arguments. */
export function commandOf(
  container: Container,
  image: ImageConfig,
  environment: Readonly<Record<string, string>>,
): string[] {
  const entrypoint = container.command ?? image.Entrypoint ?? [];
  const args = container.args ?? (container.command === undefined ? (image.Cmd ?? []) : []);
  const command = [...entrypoint, ...args].map((part) => expand(part, environment));
  if (command.length === 0) throw new ContainerConfigError('no command specified');
  return command;
}
